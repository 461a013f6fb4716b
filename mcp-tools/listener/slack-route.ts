import { type ErrorCode, UnshipError } from "../../core/errors.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Clock, Gate, Proof, SignedRequest } from "../../core/ports.ts";
import { createRateLimit } from "../http-guard.ts";
import { type Call, problem, type Reply, type Route } from "./listener.ts";

/** What the route needs to know of a press; who it counts for the gate finds out itself. */
export interface Press {
  readonly answer: "approve" | "reject";
  readonly planId: string;
  readonly planHash: string;
  readonly responseUrl: string | null;
}

export interface SlackParts {
  readonly gate: Pick<Gate, "identify" | "approve" | "reject">;
  readonly read: (request: SignedRequest, now: number) => Press | { readonly refusal: string };
  /** Says something under the message: to everybody there, or to whoever pressed alone. Never throws. */
  readonly respond: (url: string, text: string, to: "all" | "presser") => Promise<void>;
  readonly clock: Clock;
}

/** Requests of one address that Slack did not sign, in a minute, that are written down. */
const STRANGERS_PER_MINUTE = 10;

/**
 * Where Slack sends presses of our buttons (its "Interactivity" request URL). The gate checks the signature over the
 * body as it came, who pressed, and that the press names the very plan that stands there now. Slack wants its answer
 * within three seconds, so what came of it is said through the message's own response URL.
 *
 * @see https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
 */
export function slackRoute({ gate, read, respond, clock }: SlackParts): Route {
  const strangers = createRateLimit(STRANGERS_PER_MINUTE, Date.now);

  async function handle({ headers, body, from }: Call): Promise<Reply> {
    const proof = {
      via: "slack",
      body: body.toString("utf8"),
      signature: String(headers["x-slack-signature"] ?? ""),
      timestamp: String(headers["x-slack-request-timestamp"] ?? ""),
    } as const;
    const press = read(proof, clock.now());
    const say = async (text: string, to: "all" | "presser") => {
      if (!("refusal" in press) && press.responseUrl !== null) await respond(press.responseUrl, text, to);
    };
    try {
      await gate.identify(proof, strangers.wait(from) === 0);
      if ("refusal" in press) throw new UnshipError("identity.refused", { reason: press.refusal });
      void say(await answer(press, proof), "all");
      return { status: 200 };
    } catch (error) {
      if (!(error instanceof UnshipError) || !SAID.includes(error.code)) throw error;
      void say(`Nothing was done. ${error.message}`, "presser");
      if (error.code !== "identity.refused") return { status: 200 };
      strangers.take(from);
      return "refusal" in press ? problem(401, error.code, error.message) : { status: 200 };
    }
  }

  async function answer({ answer, planId, planHash }: Press, proof: Proof): Promise<string> {
    if (answer === "reject") {
      const { by } = await gate.reject(planId, proof, "rejected in Slack", planHash);
      return `${by} rejected plan ${planId}: it will not be executed.`;
    }
    const { by, expiresAt, stillNeeded } = await gate.approve(planId, proof, planHash);
    const next = stillNeeded > 0 ? "A second person has to approve it." : "The gate checks every rule once more.";
    return `${by} approved plan ${planId}, valid until ${rfc3339(expiresAt)}. ${next}`;
  }

  return { method: "POST", path: /^\/slack\/interactions$/, type: "application/x-www-form-urlencoded", handle };
}

/** Refusals that whoever pressed is told; anything else is a failure of ours. */
const SAID: readonly ErrorCode[] = [
  "identity.refused",
  "approval.refused",
  "plan.unknown",
  "plan.changed",
  "plan.expired",
  "ledger.unavailable",
];
