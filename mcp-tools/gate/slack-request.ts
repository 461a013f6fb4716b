import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { JSON_DEPTH, jsonWithin } from "../../core/model/json-meter.ts";
import type { SignedRequest } from "../../core/ports.ts";

/** A press of one of our buttons, as Slack vouches for it. */
export interface SlackPress {
  /** Slack's id of the person, and of the workspace that is theirs. */
  readonly user: string;
  readonly team: string | null;
  readonly answer: "approve" | "reject";
  readonly planId: string;
  /** Of the plan under whose description the button stood. */
  readonly planHash: string;
  /** Where Slack takes an answer to whoever pressed. */
  readonly responseUrl: string | null;
  /** When the press counts no more, Unix ms. */
  readonly until: number;
  /** SHA-256 of the signature: the same for a request that is sent again. */
  readonly digest: string;
}

/** Reads a request at `now` (Unix ms); never throws. `refusal`: ours, safe to show. */
export type SlackReader = (request: SignedRequest, now: number) => SlackPress | { readonly refusal: string };

/** Slack's own limit; what is older may have been recorded and sent again. */
const MOST_AGE_MS = 5 * 60_000;

/** The part of a `block_actions` payload that an answer needs; `value` is what our own message put there. */
const Payload = z.looseObject({
  type: z.literal("block_actions"),
  user: z.looseObject({ id: z.string().min(1).max(100), team_id: z.string().max(100).optional() }),
  team: z.looseObject({ id: z.string().max(100) }).nullish(),
  response_url: z.string().max(2000).optional(),
  actions: z
    .array(z.looseObject({ action_id: z.enum(["unship.approve", "unship.reject"]), value: z.string().max(2000) }))
    .length(1),
});
const Value = z.strictObject({ plan: z.string().min(1).max(200), hash: z.string().min(1).max(200) });

/**
 * Reads presses that were signed with this app's secret: HMAC-SHA256 over "v0:timestamp:body", the body byte by byte
 * as it came, compared in constant time before anything of it is read; at most five minutes old or early.
 *
 * @param team the workspace whose members may answer; null: any in which the app is installed
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 * @see https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
 */
export function createSlackReader(signingSecret: string, team: string | null): SlackReader {
  return (request, now) => {
    const why = whyUnsigned(request, signingSecret, now);
    if (why !== null) return { refusal: why };
    const payload = Payload.safeParse(json(new URLSearchParams(request.body).get("payload")));
    if (!payload.success) return { refusal: "the request is no press of a button of ours" };
    const { user, actions, response_url: responseUrl, team: workspace } = payload.data;
    const [action] = actions;
    const value = Value.safeParse(json(action?.value ?? null));
    if (action === undefined || !value.success) return { refusal: "the button names no plan" };
    const home = user.team_id ?? workspace?.id ?? null;
    if (team !== null && home !== team) return { refusal: "the Slack user who answered belongs to another workspace" };
    return {
      user: user.id,
      team: home,
      answer: action.action_id === "unship.approve" ? "approve" : "reject",
      planId: value.data.plan,
      planHash: value.data.hash,
      responseUrl: responseUrl ?? null,
      until: Number(request.timestamp) * 1000 + MOST_AGE_MS,
      digest: createHash("sha256").update(request.signature).digest("hex"),
    };
  };
}

function whyUnsigned({ body, signature, timestamp }: SignedRequest, secret: string, now: number): string | null {
  if (!/^\d{1,12}$/.test(timestamp)) return "the request has no timestamp of Slack";
  if (!/^v0=[0-9a-f]{64}$/.test(signature)) return "the request has no signature of Slack";
  const wanted = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest();
  if (!timingSafeEqual(wanted, Buffer.from(signature.slice("v0=".length), "hex"))) {
    return "the signature is not Slack's for this app";
  }
  const ageMs = now - Number(timestamp) * 1000;
  if (ageMs > MOST_AGE_MS) return "the request is older than five minutes";
  return ageMs < -MOST_AGE_MS ? "the request comes from the future: a clock is wrong" : null;
}

function json(text: string | null): unknown {
  return text === null ? null : (jsonWithin(text, { depth: JSON_DEPTH, values: text.length }) ?? null);
}
