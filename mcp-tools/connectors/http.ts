import { Agent, type Dispatcher, errors as undiciErrors } from "undici";
import type { z } from "zod";
import { type ErrorCode, type Facts, UnshipError } from "../../core/errors.ts";
import { codeOfError, isTlsRefusal, NOT_SENT, reasonOf } from "../../core/model/no-answer.ts";
import type { Path } from "./path.ts";

export { type Path, path, pathOfUrl } from "./path.ts";

export interface HttpOptions {
  /** The name that errors call it by: "prometheus", "kubernetes". */
  readonly source: string;
  /** Scheme, host, port and, where the API is mounted below one, a path prefix. No query. */
  readonly base: URL;
  /** Sent with each request; a function is asked each time, for credentials that rotate. Every value is a secret. */
  readonly headers?: HeaderFields | (() => Promise<HeaderFields>);
  /** For one whole request, the answer's body included. Default 10 s. A stream's lines have no such limit. */
  readonly timeoutMs?: number;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string;
  /** PEM of a client certificate and its key. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** The name that the server's certificate must carry, where it is not the host's. */
  readonly serverName?: string;
  /** Accept any certificate. Only where the user's own configuration says so. */
  readonly insecureSkipTlsVerify?: boolean;
  /** A larger answer (or line of a stream) is `source.too_large`. Default 64 MiB. */
  readonly maxBytes?: number;
}

type HeaderFields = Readonly<Record<string, string>>;
export type WriteMethod = "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * One remote, spoken to over HTTP. Every request has a timeout, an abort signal, a status check, a size limit and a
 * schema; none follows a redirect and none is tried again (callers know what may be repeated).
 *
 * All methods throw `UnshipError`: 404 `source.not_found`, 409 `source.conflict`, 429 and 5xx `source.unavailable`,
 * any other status but 2xx `source.refused`, a body that is not JSON or not what the schema wants `source.shape`.
 * No answer at all is `source.unavailable`. `facts.because` of an error tells why, as `Because` lists;
 * `facts.status` is there when there was an answer, `facts.retryAfterSeconds` where it said when to come again.
 */
export interface Http {
  /** What errors call it by. */
  readonly source: string;
  /** `accept`: in which form; default any JSON. */
  getJson<T>(path: Path, schema: z.ZodType<T>, abort: AbortSignal, accept?: string): Promise<T>;
  getText(path: Path, abort: AbortSignal): Promise<string>;
  /** The lines of an answer that stays open (a watch), without their line ends, until it ends or `abort` fires. */
  lines(path: Path, abort: AbortSignal): AsyncIterable<string>;
  /** A write. `body`: text as it is, anything else as JSON, `undefined` for none. An empty answer parses as `null`. */
  send<T>(
    method: WriteMethod,
    path: Path,
    body: unknown,
    contentType: string,
    schema: z.ZodType<T>,
    abort: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: T }>;
  /** The same, with the answer's bytes handed to `take` (which must not throw) as they come, for what is large. */
  receive(
    method: WriteMethod,
    path: Path,
    body: string,
    contentType: string,
    take: (bytes: Buffer) => void,
    abort: AbortSignal,
  ): Promise<void>;
  /** Closes its connections; requests under way end first. */
  close(): Promise<void>;
}

/**
 * Why there is no usable answer. `not-sent`: no connection, so the remote did nothing. `timeout`, `aborted`,
 * `cut-off`: it may have done what was asked; `status`: it answered so.
 */
export type Because = "not-sent" | "timeout" | "aborted" | "cut-off" | "status";

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** So much of a refusal's body is kept for logs. */
const EXCERPT_CHARS = 500;
/** A shorter header value is no secret, and hiding it would garble the text. */
const SECRET_MIN_CHARS = 6;

/** The only way out: what goes in is where and how, what comes out can do nothing but speak HTTP to that place. */
export function createHttp(options: HttpOptions): Http {
  const { source, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const agent = new Agent({ connect: tls(options), headersTimeout: 0, bodyTimeout: 0 });
  const credentials = userInfo(options.base);
  const prefix = options.base.pathname.replace(/\/+$/, "");
  const headersNow = async (): Promise<HeaderFields> => ({
    ...credentials,
    ...(typeof options.headers === "function" ? await options.headers() : options.headers),
  });
  const fail = (code: ErrorCode, facts: Facts, cause?: unknown): never => {
    throw new UnshipError(code, { source, ...facts }, { cause });
  };
  const unanswered = (because: Because, cause: unknown): never =>
    fail("source.unavailable", { because, reason: reasonOf(cause, options.base, timeoutMs) }, plain(cause));

  async function open(
    method: Dispatcher.HttpMethod,
    path: Path,
    extra: HeaderFields,
    body: string | undefined,
    signal: AbortSignal,
  ) {
    const headers = await inTime(headersNow(), signal).catch((cause) =>
      fail("source.unavailable", { because: "not-sent", reason: credentialsReason(cause, signal) }, cause),
    );
    const answer = await agent
      .request({
        origin: options.base.origin,
        path: prefix + path,
        method,
        headers: { ...headers, ...extra },
        body: body ?? null,
        signal,
      })
      .catch((cause: unknown) => unanswered(becauseOf(cause), cause));
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const text = await textOf(answer, EXCERPT_CHARS * 8).catch(() => "");
    const cause = new Error(`${answer.statusCode}: ${redact(text, headers).slice(0, EXCERPT_CHARS)}`);
    const what = decodeURIComponent(path.split("?")[0] ?? "");
    const wait = Number(answer.headers["retry-after"] ?? Number.NaN);
    const again = Number.isFinite(wait) && wait >= 0 ? { retryAfterSeconds: wait } : {};
    const reason = `it answered with status ${answer.statusCode}`;
    const facts = { because: "status", status: answer.statusCode, reason, what, ...again };
    return fail(codeOf(answer.statusCode), facts, cause);
  }

  async function textOf(answer: Dispatcher.ResponseData, limit: number): Promise<string> {
    const chunks: Buffer[] = [];
    await bytesOf(answer, limit, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks).toString("utf8");
  }

  async function bytesOf(answer: Dispatcher.ResponseData, limit: number, take: (chunk: Buffer) => void): Promise<void> {
    if (Number(answer.headers["content-length"] ?? 0) > limit) {
      answer.body.on("error", () => {}); // destroying reports an abort to the stream, which nobody reads
      answer.body.destroy();
      fail("source.too_large", { limit });
    }
    let bytes = 0;
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > limit) break;
        take(chunk);
      }
    } catch (cause) {
      const because = becauseOf(cause);
      unanswered(because === "not-sent" ? "cut-off" : because, cause);
    }
    if (bytes > limit) fail("source.too_large", { limit });
  }

  function parse<T>(text: string, schema: z.ZodType<T>): T {
    const value = text === "" ? null : json(text);
    if (value === undefined) return fail("source.shape", {}, new Error("not JSON"));
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : fail("source.shape", {}, shapeCause(parsed.error));
  }

  const within = (abort: AbortSignal) => AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]);

  async function whole(
    method: Dispatcher.HttpMethod,
    path: Path,
    extra: HeaderFields,
    body: string | undefined,
    abort: AbortSignal,
  ) {
    const answer = await open(method, path, extra, body, within(abort));
    return { status: answer.statusCode, text: await textOf(answer, maxBytes) };
  }

  return {
    source,
    async getJson(path, schema, abort, accept = "application/json") {
      return parse((await whole("GET", path, { accept }, undefined, abort)).text, schema);
    },
    async getText(path, abort) {
      return (await whole("GET", path, { accept: "*/*" }, undefined, abort)).text;
    },
    async *lines(path, abort) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new DOMException("no answer in time", "TimeoutError")), timeoutMs);
      const answer = await open(
        "GET",
        path,
        { accept: "*/*" },
        undefined,
        AbortSignal.any([abort, late.signal]),
      ).finally(() => clearTimeout(timer));
      const decoder = new TextDecoder();
      let rest = "";
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
          rest = parts.pop() ?? "";
          if (rest.length > maxBytes) fail("source.too_large", { limit: maxBytes });
          for (const line of parts) yield line.endsWith("\r") ? line.slice(0, -1) : line;
        }
      } catch (cause) {
        if (abort.aborted) return;
        if (cause instanceof UnshipError) throw cause;
        unanswered("cut-off", cause);
      }
      if (rest !== "") yield rest;
    },
    async send(method, path, body, contentType, schema, abort) {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const extra = { accept: "application/json", ...(text === undefined ? {} : { "content-type": contentType }) };
      const answer = await whole(method, path, extra, text, abort);
      return { status: answer.status, body: parse(answer.text, schema) };
    },
    async receive(method, path, body, contentType, take, abort) {
      const extra = { accept: "application/json", "content-type": contentType };
      await bytesOf(await open(method, path, extra, body, within(abort)), maxBytes, take);
    },
    close: () => agent.close(),
  };
}

/** What is asked for, or the signal's reason as soon as it fires: whoever gives credentials may hang, too. */
async function inTime<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    return await Promise.race([asked, over]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Our own errors say which file or command failed; of any other nothing is told, since it may quote the secret. */
function credentialsReason(cause: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "its credentials did not come in time";
  if (cause instanceof UnshipError) return cause.message.replace(/\.$/, "");
  const file = cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : null;
  return `its credentials could not be read${file === null ? "" : ` from ${file} (${codeOfError(cause)})`}`;
}

function tls(options: HttpOptions) {
  return {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.clientCertificate ?? {}),
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    ...(options.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

/** `https://user:password@host` as the header that it means, since a URL with it would stand in errors. */
function userInfo(base: URL): HeaderFields {
  if (base.username === "") return {};
  const pair = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return "source.not_found";
  if (status === 409) return "source.conflict";
  return status === 429 || status >= 500 ? "source.unavailable" : "source.refused";
}

function becauseOf(cause: unknown): Because {
  if (!(cause instanceof Error)) return "aborted";
  if (cause.name === "TimeoutError") return "timeout";
  if (cause.name === "AbortError") return "aborted";
  const code = codeOfError(cause);
  const isRefused = NOT_SENT.has(code) || isTlsRefusal(code);
  return cause instanceof undiciErrors.ConnectTimeoutError || isRefused ? "not-sent" : "cut-off";
}

/** Name, code and message alone: the original may hold the request, and with it the credentials. */
function plain(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error("aborted");
  return new Error(`${cause.name}: ${cause.message}`);
}

function redact(text: string, headers: HeaderFields): string {
  const secrets = Object.values(headers).flatMap((value) => [value, ...value.split(" ").slice(1)]);
  return secrets
    .filter((one) => one.length >= SECRET_MIN_CHARS)
    .reduce((rest, one) => rest.replaceAll(one, "***"), text);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where the body differs and how, without its values. */
function shapeCause(error: z.ZodError): Error {
  return new Error(
    error.issues
      .map((issue) => `${issue.path.join(".")}: ${issue.code}`)
      .slice(0, 5)
      .join("; "),
  );
}
