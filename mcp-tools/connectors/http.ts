import { Agent, type Dispatcher, errors as undiciErrors } from "undici";
import type { z } from "zod";
import { type ErrorCode, type Facts, UnshipError } from "../../core/errors.ts";
import { codeOfError, isTlsRefusal, NOT_SENT, reasonOf } from "../../core/model/no-answer.ts";
import { messageIn, withSaid } from "../../core/model/peer-message.ts";
import { type Allowance, ANSWER, answerMeter, BeyondBound, type Bounds, createAllowance, sizeText } from "./bounds.ts";
import { allPages, type Page, type PageBounds } from "./pages.ts";
import type { Path } from "./path.ts";

export { type Path, path, pathOfUrl } from "./path.ts";

export interface HttpOptions {
  /** The name that errors call it by: "prometheus", "kubernetes". */
  readonly source: string;
  /** Scheme, host, port and, where the API is mounted below one, a path prefix. No query. */
  readonly base: URL;
  /** Sent with each request; a function is asked each time, for credentials that rotate. Every value is a secret. */
  readonly headers?: HeaderFields | (() => Promise<HeaderFields>);
  /** For one whole request, the answer's body included. Default 10 s. */
  readonly timeoutMs?: number;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string;
  /** PEM of a client certificate and its key. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** The name that the server's certificate must carry, where it is not the host's. */
  readonly serverName?: string;
  /** Accept any certificate. Only where the user's own configuration says so. */
  readonly insecureSkipTlsVerify?: boolean;
  /** Of one answer, and of one list of several pages; beyond it: `source.too_large`. Default: `ANSWER`. */
  readonly maxBytes?: number;
  readonly maxValues?: number;
  /** What all answers under way hold together. Default: of this peer, twice what one may. */
  readonly together?: Allowance;
  /** What people can do about an answer that is too large, as the end of a sentence. Default "narrow the question". */
  readonly narrow?: string;
}

export interface AskOptions {
  /** In which form; default any JSON. */
  readonly accept?: string;
  /** What this answer shares with others of the same question, such as the pages of a list. */
  readonly spent?: Allowance;
}

type HeaderFields = Readonly<Record<string, string>>;
export type WriteMethod = "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * One remote, spoken to over HTTP. Every request has a timeout, an abort signal, a status check, a size limit and a
 * schema; none follows a redirect and none is tried again (callers know what may be repeated).
 *
 * All methods throw `UnshipError`: 404 `source.not_found`, 409 `source.conflict`, 429 and 5xx `source.unavailable`,
 * any other status but 2xx `source.refused`, a body that is not JSON or not what the schema wants `source.shape`, one
 * that goes beyond a bound while it is read (bytes, values, depth, pages) `source.too_large`: nothing of it is parsed then.
 * No answer at all is `source.unavailable`. `facts.because` of an error tells why, as `Because` lists;
 * `facts.status` is there when there was an answer, `facts.retryAfterSeconds` where it said when to come again.
 */
export interface Http {
  /** What errors call it by. */
  readonly source: string;
  getJson<T>(path: Path, schema: z.ZodType<T>, abort: AbortSignal, options?: AskOptions): Promise<T>;
  getText(path: Path, abort: AbortSignal): Promise<string>;
  /** All items of a list that comes page by page, see `allPages`. `read` hands `spent` on to what it asks. */
  pages<T, At>(
    first: At,
    bounds: PageBounds,
    read: (at: At, spent: Allowance) => Promise<Page<T, At>>,
  ): Promise<readonly T[]>;
  /** For several answers to one question: as much as this many answers may hold. */
  allowance(answers: number): Allowance;
  /** A write. `body`: text as it is, anything else as JSON, `undefined` for none. An empty answer parses as `null`. */
  send<T>(
    method: WriteMethod,
    path: Path,
    body: unknown,
    contentType: string,
    schema: z.ZodType<T>,
    abort: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: T }>;
  /**
   * The same, with the answer's bytes handed to `take` as they come, for what is large and never held as a whole. What
   * `take` throws ends the answer: `BeyondBound` as `source.too_large`, an `UnshipError` as it is.
   */
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
/** So much of a refusal's body is read: its reason stands in its first words. */
const REFUSAL_BYTES = 16 * 1024;
/** So much of it is kept for logs. */
const EXCERPT_CHARS = 500;
/** A shorter header value is no secret, and hiding it would garble the text. */
const SECRET_MIN_CHARS = 6;

/** The only way out: what goes in is where and how, what comes out can do nothing but speak HTTP to that place. */
export function createHttp(options: HttpOptions): Http {
  const { source, timeoutMs = DEFAULT_TIMEOUT_MS, narrow = "narrow the question" } = options;
  const { maxBytes = ANSWER.maxBytes, maxValues = ANSWER.maxValues } = options;
  const ofJson: Bounds = { maxBytes, maxValues, maxDepth: ANSWER.maxDepth };
  const ofText: Bounds = { maxBytes, maxValues: Infinity, maxDepth: Infinity };
  const ofStream: Bounds = { ...ofJson, maxValues: Infinity };
  const allowance = (answers: number, of: string) =>
    createAllowance({ maxBytes: answers * maxBytes, maxValues: answers * maxValues }, of);
  const held = options.together ?? allowance(2, "in answers at the same time");
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
    const text = redact(await beginningOf(answer).catch(() => ""), headers);
    const cause = new Error(`${answer.statusCode}: ${text.slice(0, EXCERPT_CHARS)}`);
    const what = decodeURIComponent(path.split("?")[0] ?? "");
    const wait = Number(answer.headers["retry-after"] ?? Number.NaN);
    const again = Number.isFinite(wait) && wait >= 0 ? { retryAfterSeconds: wait } : {};
    const said = messageIn(text);
    const reason = withSaid(`it answered with status ${answer.statusCode}`, said);
    const its = said === null ? {} : { said: `it says ${said}` };
    const facts = { because: "status", status: answer.statusCode, reason, what, ...its, ...again };
    return fail(codeOf(answer.statusCode), facts, cause);
  }

  /** The only place where an answer is read: each byte is counted before anything keeps it. */
  async function read(
    answer: Dispatcher.ResponseData,
    bounds: Bounds,
    share: { readonly held: Allowance | null; readonly spent?: Allowance | undefined },
    take: (chunk: Buffer) => void,
  ): Promise<() => void> {
    if (Number(answer.headers["content-length"] ?? 0) > bounds.maxBytes) {
      answer.body.on("error", () => {}); // destroying reports an abort to the stream, which nobody reads
      answer.body.destroy();
      tooLarge(new BeyondBound(`${sizeText(bounds.maxBytes)} in one answer`));
    }
    const meter = answerMeter(bounds, share);
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        meter.take(chunk);
        take(chunk);
      }
    } catch (cause) {
      meter.done();
      if (cause instanceof UnshipError) throw cause;
      if (cause instanceof BeyondBound) tooLarge(cause);
      const because = becauseOf(cause);
      unanswered(because === "not-sent" ? "cut-off" : because, cause);
    }
    return meter.done;
  }

  const tooLarge = (cause: BeyondBound): never => fail("source.too_large", { limit: cause.limit, narrow }, cause);

  function parse<T>(text: string, schema: z.ZodType<T>): T {
    const value = text === "" ? null : json(text);
    if (value === undefined) {
      const what = /^\s*</.test(text) ? "it is a web page" : "it is no JSON";
      const reason = what === "it is a web page" ? withSaid(what, messageIn(text)) : what;
      return fail("source.shape", { reason }, new Error("not JSON"));
    }
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : fail("source.shape", {}, shapeCause(parsed.error));
  }

  const within = (abort: AbortSignal) => AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]);

  interface Question {
    readonly method: Dispatcher.HttpMethod;
    readonly path: Path;
    readonly extra: HeaderFields;
    readonly body?: string | undefined;
    readonly spent?: Allowance | undefined;
  }

  /** The answer's text as `use` wants it; what it holds of the common allowance is given back afterwards. */
  async function whole<T>(
    { method, path, extra, body, spent }: Question,
    bounds: Bounds,
    use: (text: string, status: number) => T,
    abort: AbortSignal,
  ): Promise<T> {
    const answer = await open(method, path, extra, body, within(abort));
    const decoder = new TextDecoder();
    let text = "";
    const done = await read(answer, bounds, { held, spent }, (chunk) => {
      text += decoder.decode(chunk, { stream: true });
    });
    try {
      return use(text + decoder.decode(), answer.statusCode);
    } finally {
      done();
    }
  }

  return {
    source,
    getJson: (path, schema, abort, { accept = "application/json", spent } = {}) =>
      whole({ method: "GET", path, extra: { accept }, spent }, ofJson, (text) => parse(text, schema), abort),
    getText: (path, abort) => whole({ method: "GET", path, extra: { accept: "*/*" } }, ofText, (text) => text, abort),
    async pages(first, bounds, read) {
      const spent = allowance(1, "in one list");
      try {
        return await allPages(first, bounds, (at) => read(at, spent));
      } catch (cause) {
        if (cause instanceof BeyondBound) return tooLarge(cause);
        throw cause;
      }
    },
    allowance: (answers) => allowance(answers, "in answers to one question"),
    send(method, path, body, contentType, schema, abort) {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const extra = { accept: "application/json", ...(text === undefined ? {} : { "content-type": contentType }) };
      const use = (answer: string, status: number) => ({ status, body: parse(answer, schema) });
      return whole({ method, path, extra, body: text }, ofJson, use, abort);
    },
    async receive(method, path, body, contentType, take, abort) {
      const extra = { accept: "application/json", "content-type": contentType };
      await read(await open(method, path, extra, body, within(abort)), ofStream, { held: null }, take);
    },
    close: () => agent.close(),
  };
}

/** As much of a refusal as tells its reason; the rest is not waited for. */
async function beginningOf(answer: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.body.on("error", () => {}); // what is left is thrown away
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > REFUSAL_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, REFUSAL_BYTES).toString("utf8");
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
