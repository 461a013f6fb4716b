import { UnshipError } from "../../core/errors.ts";
import { codeOfError, reasonOf } from "../../core/model/no-answer.ts";
import { messageOf, withSaid } from "../../core/model/peer-message.ts";
import { BeyondBytes } from "./bounded-fetch.ts";
import { type Failure, isPassing, retryAfterMs } from "./patience.ts";

/** "model.unavailable" for a reason in our own words; what a vendor wrote is in it within the fence alone (S11). */
export const modelUnavailable = (reason: string, cause: unknown = new Error(reason)): UnshipError =>
  new UnshipError("model.unavailable", { reason }, { cause });

/** An answer of status 200 that is none of the vendor's: a login page, a proxy, another API. */
export class NoAnswerOfThisApi extends Error {
  override readonly name = "NoAnswerOfThisApi";
}
/** An answer that is of the vendor's kind, and ended before its end; its message says how in our own words. */
export class EndedEarly extends Error {
  override readonly name = "EndedEarly";
  constructor(how = "its answer stopped before its end") {
    super(how);
  }
}

/**
 * What an answer of status 200 without a single event means: a stream that ended before its first event, or, by its
 * content type, no answer of this API at all.
 */
export const withoutEvents = ({ headers }: Pick<Response, "headers">): Error =>
  headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") === true
    ? new EndedEarly("its answer ended without an event of this API")
    : new NoAnswerOfThisApi();

type WithoutStatus = abstract new (...args: never) => Error & { readonly status: undefined };

/** What both vendors' clients throw, under the same names. */
interface ErrorClasses {
  readonly APIError: abstract new (
    ...args: never
  ) => Error & {
    readonly status?: number | undefined;
    readonly headers?: Headers | undefined;
  };
  readonly APIConnectionError: WithoutStatus;
  readonly APIConnectionTimeoutError: WithoutStatus;
  readonly APIUserAbortError: WithoutStatus;
}

interface Endpoint {
  readonly baseUrl: string;
  readonly timeoutMs: number;
}

/**
 * Reads a failed try: whether the same may succeed later, and why it failed in our own words. `passes` says it of an error
 * that came inside a stream, without a status.
 */
export function judging(classes: ErrorClasses, { baseUrl, timeoutMs }: Endpoint, passes: (error: Error) => boolean) {
  // Its host alone is told: the whole address may hold a password.
  const place = new URL(baseUrl);
  const late = `no whole answer within ${timeoutMs / 1000} s`;
  return (thrown: unknown): Failure => {
    const error = beyondIn(thrown) ?? thrown;
    if (!(error instanceof Error)) return { again: false, afterMs: null, why: "its client failed" };
    if (error instanceof NoAnswerOfThisApi || error.name === "SyntaxError")
      return { again: false, afterMs: null, why: `what answers at ${place.host} is not this API` };
    if (error instanceof BeyondBytes)
      return { again: false, afterMs: null, why: `its answer is larger than ${error.limit}` };
    if (error instanceof EndedEarly) return { again: true, afterMs: null, why: error.message };
    // Whoever asks was not told to stop, so that it is our own time-out that ended it.
    if (
      error instanceof classes.APIUserAbortError ||
      error instanceof classes.APIConnectionTimeoutError ||
      isLate(error)
    )
      return { again: true, afterMs: null, why: late };
    // What fetch throws is a TypeError with what the socket said; one without that is a fault of a program.
    const isOfNetwork = error instanceof TypeError && codeOfError(rootOf(error)) !== "";
    if (error instanceof classes.APIConnectionError || isOfNetwork)
      return { again: true, afterMs: null, why: reasonOf(rootOf(error), place, timeoutMs) };
    if (!(error instanceof classes.APIError)) return { again: false, afterMs: null, why: "its client failed" };
    const { status, headers } = error;
    const afterMs = retryAfterMs(headers, Date.now());
    const said = messageOf("error" in error ? error.error : undefined);
    if (status === undefined)
      return { again: passes(error), afterMs, why: withSaid("it ended its answer with an error", said) };
    return { again: isPassing(status), afterMs, why: withSaid(statusReason(status), said) };
  };
}

/** Both clients wrap what reading an answer threw. */
function beyondIn(error: unknown): BeyondBytes | null {
  for (let one = error, depth = 0; one instanceof Error && depth < 4; one = one.cause, depth += 1)
    if (one instanceof BeyondBytes) return one;
  return null;
}

const isLate = ({ name }: Error): boolean => name === "TimeoutError" || name === "AbortError";

/** The vendors' clients wrap what their fetch threw, and that wraps what the socket said. */
function rootOf(error: Error): unknown {
  let root: unknown = error;
  for (let depth = 0; depth < 4 && root instanceof Error && codeOfError(root) === ""; depth += 1) {
    if (root.cause === undefined || root.cause === null) break;
    root = root.cause;
  }
  return root;
}

/**
 * What a refusal means by its HTTP status, as both vendors document them.
 * @see https://docs.anthropic.com/en/api/errors and https://platform.openai.com/docs/guides/error-codes
 */
function statusReason(status: number): string {
  const what = STATUS[status] ?? (status >= 500 ? "it failed" : "it refused the request");
  return `${what} (status ${status})`;
}

const STATUS: Readonly<Record<number, string>> = {
  401: "it does not know the key",
  403: "the key may not use this model",
  404: "it knows no such model, or nothing is at this address",
  413: "the request is larger than it takes",
  429: "the requests, tokens or credit of the key are used up for now",
  529: "it is overloaded",
};
