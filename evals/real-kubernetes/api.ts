import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { Agent, request } from "undici";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into field by field
  readonly body: any;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  // biome-ignore lint/suspicious/noExplicitAny: an object is looked into field by field
  readonly object: any;
}

/** An API server as raw JSON, for whoever sets a cluster up and looks at it; whatever is answered is handed back. */
export interface KubeApi extends AsyncDisposable {
  readonly url: URL;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Like `call`, but throws where the status is not one of success. */
  must(method: string, path: string, options?: CallOptions): Promise<Answer["body"]>;
  /** The events of a watch until it ends or the signal fires. */
  watch(path: string, abort: AbortSignal): AsyncIterable<WatchEvent>;
}

export interface KubeApiAccess {
  readonly url: URL;
  readonly token?: string;
  /** PEM of the authority to trust; absent for plain HTTP. */
  readonly ca?: string;
  /** Trusts whatever certificate is shown: for the health of a server of ours on loopback. */
  readonly insecure?: boolean;
  readonly userAgent?: string;
}

/** For a whole request; one that hangs longer is an error. A watch has no such limit. */
const TIMEOUT_MS = 30_000;

export function kubeApi({ url, token, ca, insecure, userAgent = "tester/1.0" }: KubeApiAccess): KubeApi {
  const connect = { ...(ca === undefined ? {} : { ca }), ...(insecure === true ? { rejectUnauthorized: false } : {}) };
  const dispatcher = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: 0, connect });
  const fixed = { "user-agent": userAgent, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const call: KubeApi["call"] = async (method, path, { body, type = "application/json", headers = {} } = {}) => {
    const answer = await request(new URL(path, url), {
      method: method as "GET",
      dispatcher,
      headers: { ...fixed, ...(body === undefined ? {} : { "content-type": type }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: text.startsWith("{") ? JSON.parse(text) : text,
    };
  };
  return {
    url,
    call,
    async must(method, path, options) {
      const { status, body } = await call(method, path, options);
      if (status >= 200 && status < 300) return body;
      throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body).slice(0, 500)}`);
    },
    async *watch(path, abort) {
      const answer = await request(new URL(path, url), { dispatcher, headers: fixed, signal: abort });
      const stream = Readable.from(answer.body);
      // Aborting is how a watch ends; a connection that breaks ends the loop below.
      stream.on("error", () => undefined);
      const lines = createInterface({ input: stream });
      lines.on("error", () => undefined);
      for await (const line of lines) yield JSON.parse(line) as WatchEvent;
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
