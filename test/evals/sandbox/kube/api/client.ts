import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Cluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import type { JsonObject } from "../../../../../evals/sandbox/kube/json.ts";

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is looked into field by field
  readonly body: any;
}

/** Speaks to the cluster in plain HTTP. */
export async function call(
  cluster: Pick<Cluster, "url">,
  method: string,
  path: string,
  options: {
    readonly body?: unknown;
    readonly type?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Reply> {
  const { body, type = "application/json", headers = {} } = options;
  const response = await fetch(new URL(path, cluster.url), {
    method,
    headers: {
      "user-agent": "tester/1.0 (linux)",
      ...(body === undefined ? {} : { "content-type": type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

export interface WatchEvent {
  readonly type: string;
  readonly object: JsonObject & { readonly metadata: { readonly name: string; readonly [field: string]: unknown } };
}

/** Watches until `enough` events have come, or the server ends the stream. */
export async function watch(
  cluster: Pick<Cluster, "url">,
  path: string,
  enough: (events: readonly WatchEvent[]) => boolean,
  started: () => Promise<unknown> = async () => undefined,
): Promise<readonly WatchEvent[]> {
  const abort = new AbortController();
  const response = await fetch(new URL(path, cluster.url), { signal: abort.signal });
  const events: WatchEvent[] = [];
  const begun = started();
  if (response.body === null) throw new Error("a watch has a body");
  const stream = Readable.fromWeb(response.body as never);
  // Aborting is how a watch ends here; a connection that breaks ends the loop below with too few events.
  stream.on("error", () => undefined);
  const lines = createInterface({ input: stream });
  lines.on("error", () => undefined);
  try {
    for await (const line of lines) {
      events.push(JSON.parse(line) as WatchEvent);
      if (enough(events)) break;
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  abort.abort();
  await begun;
  return events;
}
