import { z } from "zod";
import { AcknowledgedAs } from "../../core/guardrails/acknowledged.ts";
import { Incident } from "../../core/model/incident.ts";
import { LastEvaluation } from "../../core/model/last-evaluation.ts";
import { LedgerEntry } from "../../core/model/ledger-entry.ts";
import { GateAnswer, GateReview, Plan, REASON_CHARS, Target } from "../../core/model/plan.ts";

/**
 * What goes between the agent and the gate's own process: one POST a call, JSON both ways, at `/v1/` and the call's name.
 *
 * `anyone`: who can reach the channel reads the record, and pauses; what changes more carries a person's own token, which
 * the gate checks. `agent`: needs the channel's token besides. Nothing here takes an approval from the agent, a result, a
 * permit or a verdict of a rule: those the gate makes itself.
 */
export const CALLS = {
  hello: call("anyone", z.strictObject({})),
  propose: call(
    "agent",
    z.strictObject({
      incidentId: z.string().min(1).max(200),
      targets: z.array(Target).min(1),
      reason: z.string().max(REASON_CHARS),
      proposedBy: z.string().min(1).max(200),
    }),
  ),
  submit: call("agent", z.strictObject({ planId: id() })),
  recover: call("agent", z.strictObject({})),
  approve: call("anyone", z.strictObject({ planId: id(), token: token(), seenHash: z.string().max(200).optional() })),
  reject: call(
    "anyone",
    z.strictObject({
      planId: id(),
      token: token(),
      reason: z.string().max(REASON_CHARS),
      seenHash: z.string().max(200).optional(),
    }),
  ),
  identify: call("anyone", z.strictObject({ token: token(), record: z.boolean().optional() })),
  pause: call("anyone", z.strictObject({ scope: z.string().min(1).max(300), by: z.string().min(1).max(200) })),
  resume: call("anyone", z.strictObject({ scope: z.string().min(1).max(300), token: token() })),
  acknowledge: call(
    "anyone",
    z.strictObject({
      incidentId: id(),
      token: token(),
      as: AcknowledgedAs,
      forMs: z.number(),
      note: z.string().max(REASON_CHARS),
    }),
  ),
  append: call(
    "agent",
    z.strictObject({
      kind: z.string().max(200),
      incidentId: z.string().max(200).nullable(),
      planId: z.string().max(200).nullable(),
      actor: z.string().max(200),
      body: z.unknown(),
    }),
  ),
  saveIncident: call("agent", z.strictObject({ incident: Incident })),
  notify: call(
    "agent",
    z.strictObject({
      incidentId: z.string().max(200),
      title: z.string().max(2000),
      lines: z.array(z.string()),
      severity: z.enum(["info", "warning", "critical"]),
      to: z.string().max(300),
      resolves: z
        .array(z.strictObject({ title: z.string().max(2000), planId: z.string().max(200).optional() }))
        .max(1000)
        .optional(),
    }),
  ),
  entries: call(
    "anyone",
    z.strictObject({
      incidentId: z.string().optional(),
      planId: z.string().optional(),
      kinds: z.array(z.string()).optional(),
      afterSeq: z.int().optional(),
      limit: z.int().optional(),
    }),
  ),
  incident: call("anyone", z.strictObject({ id: z.string() })),
  incidents: call(
    "anyone",
    z.strictObject({
      open: z.boolean().optional(),
      savedSince: z.number().optional(),
      lacking: z.string().optional(),
      limit: z.int().optional(),
      /** Whether the asker says which are damaged, so that the others may be given without them. */
      sayDamaged: z.boolean(),
    }),
  ),
  plan: call("anyone", z.strictObject({ id: z.string() })),
  pauses: call("anyone", z.strictObject({})),
  saveEvaluation: call("agent", z.strictObject({ last: LastEvaluation })),
  lastEvaluation: call("anyone", z.strictObject({})),
  head: call("anyone", z.strictObject({})),
  verify: call("anyone", z.strictObject({ heads: z.array(z.strictObject({ seq: z.int(), hash: z.string() })) })),
} as const;
export type CallName = keyof typeof CALLS;
export type CallInput<N extends CallName> = z.infer<(typeof CALLS)[N]["input"]>;

/** The right to be the one watch of this gate: held as long as the answer to this call stays open. */
export const WATCH_PATH = "/v1/watch";

/** What the gate says of itself, and whether a watch is connected to it. */
export const Hello = z.object({
  version: z.string(),
  mode: z.string(),
  actions: z.array(z.string()),
  watched: z.boolean(),
  /** Which version of the configuration it obeys, when it read that (Unix ms), and whether `--mode` set its mode. */
  obeys: z
    .object({ version: z.string().nullable(), modeIsAsked: z.boolean().nullable(), since: z.number().optional() })
    .optional(),
});
export type Hello = Readonly<z.infer<typeof Hello>>;

/** As the agent takes it in: a newer gate may say more. */
const Entry = z.object(LedgerEntry.shape);

/** What each call is answered with, as the agent takes it in. */
export const ANSWERS = {
  hello: Hello,
  propose: z.object({ plan: Plan, review: GateReview }),
  submit: GateAnswer,
  recover: z.array(GateAnswer),
  approve: z.object({ by: z.string(), expiresAt: z.number(), stillNeeded: z.number() }),
  reject: z.object({ by: z.string() }),
  identify: z.object({ by: z.string() }),
  pause: z.null(),
  resume: z.object({ by: z.string() }),
  acknowledge: z.object({ by: z.string(), at: z.number(), until: z.number() }),
  append: Entry,
  saveIncident: z.null(),
  notify: z.object({ delivered: z.boolean(), detail: z.string() }),
  entries: z.array(Entry),
  incident: Incident.nullable(),
  incidents: z.object({
    incidents: z.array(Incident),
    damaged: z.array(z.object({ id: z.string(), reason: z.string() })),
  }),
  plan: Plan.nullable(),
  saveEvaluation: z.null(),
  lastEvaluation: LastEvaluation.nullable(),
  pauses: z.array(z.object({ scope: z.string(), by: z.string(), at: z.number() })),
  head: z.object({ seq: z.number(), hash: z.string() }),
  verify: z.object({
    ok: z.boolean(),
    entries: z.number(),
    head: z.string(),
    problems: z.array(z.object({ seq: z.number(), reason: z.string() })),
  }),
} as const satisfies Record<CallName, z.ZodType>;
export type CallAnswer<N extends CallName> = z.infer<(typeof ANSWERS)[N]>;

/** An error as it crosses: a code of ours and its facts, or that something failed. */
export const Failure = z.object({
  error: z.object({ code: z.string(), facts: z.record(z.string(), z.union([z.string(), z.number()])) }),
});

/** An incident carries its findings and changes; the largest seen are a few hundred KB. */
export const REQUEST_BYTES = 16 * 1024 * 1024;
/** What a person asks for, or shows, is small: a list of signed heads is the largest of it. */
export const SMALL_REQUEST_BYTES = 256 * 1024;

function call<I extends z.ZodType>(who: "anyone" | "agent", input: I) {
  return { who, input } as const;
}

function id() {
  return z.string().min(1).max(200);
}

/** A personal token. */
function token() {
  return z.string().max(10_000);
}
