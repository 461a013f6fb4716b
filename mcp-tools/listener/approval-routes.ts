import { z } from "zod";
import type { Config } from "../../core/config/config.ts";
import { parseDuration } from "../../core/config/durations.ts";
import { type ErrorCode, UnshipError } from "../../core/errors.ts";
import { type AcknowledgedAs, USUAL_MS, whyNotSoLong } from "../../core/guardrails/acknowledged.ts";
import { type AtTheLedger, carriedOutBy } from "../../core/guardrails/carried-out-by.ts";
import { openIncidents, openIncidentView } from "../../core/guardrails/open-incidents.ts";
import { planCase, planView, waitingPlans } from "../../core/guardrails/waiting-plans.ts";
import { JSON_DEPTH, jsonWithin } from "../../core/model/json-meter.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Clock, Gate, Ledger, Proof } from "../../core/ports.ts";
import { createRateLimit, type Refusal, tooMany } from "../http-guard.ts";
import { type Call, problem, type Reply, type Route } from "./listener.ts";

export interface ApprovalParts {
  readonly config: Pick<Config, "services" | "approvers" | "approval" | "freezeWindows">;
  readonly gate: Pick<Gate, "identify" | "approve" | "reject" | "acknowledge">;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Of one person. */
  readonly requestsPerMinute: number;
  /** Who carries out what is approved. */
  readonly at: () => AtTheLedger;
}

/** Of one address; a person mistypes less often. */
const STRANGERS_PER_MINUTE = 10;
const PLAN = "/v1/plans/(?<plan>[\\w.-]{1,100})";
const INCIDENT = "/v1/incidents/(?<incident>[\\w.:+-]{1,200})";

/** What was read, by its hash: a yes to what somebody else put there meanwhile is worth nothing (S4). */
const Approve = z.strictObject({ hash: z.string().min(1).max(200) });
const Acknowledge = z.strictObject({ for: z.string().max(40).optional(), note: z.string().max(1000).optional() });
const Reject = z.strictObject({ hash: z.string().min(1).max(200), reason: z.string().min(1).max(1000).optional() });

/**
 * The approval API: plans that wait, one plan as a diff, yes and no; and the open incidents, with a way to stop the pages
 * of one. Every call carries a personal token (or one of
 * the OIDC issuer) as bearer; reading needs one too. Whoever shows none is limited by address, whoever does by name.
 */
export function approvalRoutes({
  config,
  gate,
  ledger,
  clock,
  requestsPerMinute,
  at,
}: ApprovalParts): readonly Route[] {
  const people = createRateLimit(requestsPerMinute, Date.now);
  const strangers = createRateLimit(STRANGERS_PER_MINUTE, Date.now);
  const standing = async () => ({
    pauses: await ledger.pauses(),
    freezeWindows: config.freezeWindows,
    now: clock.now(),
  });
  const waiting = (from: string) => limited(tooMany(strangers.take(from), STRANGERS_PER_MINUTE));

  /** Answers for the person whom the token names. */
  const forPerson =
    (act: (call: Call, proof: Proof) => Promise<Reply>) =>
    async (call: Call): Promise<Reply> => {
      const bearer = /^Bearer +([\w.~+/-]+=*)$/i.exec(call.authorization ?? "")?.[1];
      const proof: Proof = { via: "http", bearer: bearer ?? "" };
      try {
        if (bearer === undefined) return waiting(call.from) ?? unauthorized(NO_TOKEN, false);
        const quiet = strangers.wait(call.from) > 0;
        const { by } = await gate.identify(proof, !quiet);
        const wait = tooMany(people.take(by), requestsPerMinute, "server.requests_per_minute");
        return limited(wait) ?? (await act(call, proof));
      } catch (error) {
        if (!(error instanceof UnshipError)) throw error;
        if (error.code !== "identity.refused") return refusal(error);
        return waiting(call.from) ?? unauthorized(error.message, true);
      }
    };

  const answering = <T>(
    schema: z.ZodType<T>,
    wanted: string,
    act: (plan: string, body: T, proof: Proof) => Promise<Reply>,
  ) =>
    forPerson(async ({ words, body }, proof) => {
      const read = schema.safeParse(jsonOf(body));
      if (!read.success) return problem(400, "input.invalid", `Send JSON: ${wanted}`);
      return act(words.plan ?? "", read.data, proof);
    });

  const acknowledging = (as: AcknowledgedAs): Route => ({
    method: "POST",
    path: new RegExp(`^${INCIDENT}/${as}$`),
    handle: forPerson(async ({ words, body }, proof) => {
      const read = Acknowledge.safeParse(jsonOf(body));
      const forMs = read.data?.for === undefined ? USUAL_MS[as] : parseDuration(read.data.for);
      if (!read.success || forMs === null) {
        const wanted = `Send JSON: {"for": such as "30m", "note": up to 1000 characters}`;
        return problem(400, "input.invalid", `${wanted}; for a time, ${whyNotSoLong(Number.NaN)}.`);
      }
      const incident = words.incident ?? "";
      const { by, at, until } = await gate.acknowledge(incident, proof, { as, forMs, note: read.data.note ?? "" });
      return { status: 200, body: { incident, as, by, at: rfc3339(at), until: rfc3339(until) } };
    }),
  });

  return [
    {
      method: "GET",
      path: /^\/v1\/incidents$/,
      handle: forPerson(async () => {
        const present = await standing();
        const open = await openIncidents(ledger, config.services, present.now);
        const incidents = open.map((one) => ({
          id: one.incident.id,
          service: one.incident.service,
          stage: one.incident.stage,
          detected_at: rfc3339(one.incident.detectedAt),
          ...openIncidentView(one, present),
        }));
        return { status: 200, body: { incidents } };
      }),
    },
    acknowledging("acknowledge"),
    acknowledging("snooze"),
    {
      method: "GET",
      path: /^\/v1\/plans$/,
      handle: forPerson(async () => {
        const present = await standing();
        const plans = await waitingPlans(ledger, present.now);
        return { status: 200, body: { plans: plans.map((one) => planView(one, config, present)) } };
      }),
    },
    {
      method: "GET",
      path: new RegExp(`^${PLAN}$`),
      handle: forPerson(async ({ words }) => {
        const found = await planCase(words.plan ?? "", ledger);
        if (found === null) throw new UnshipError("plan.unknown", { plan: words.plan ?? "" });
        return { status: 200, body: planView(found, config, await standing()) };
      }),
    },
    {
      method: "POST",
      path: new RegExp(`^${PLAN}/approve$`),
      handle: answering(Approve, '{"hash": the hash of the plan as you read it}.', async (id, { hash }, proof) => {
        const { by, expiresAt, stillNeeded } = await gate.approve(id, proof, hash);
        const plan = await ledger.plan(id);
        const next =
          stillNeeded > 0
            ? "A second person has to approve it."
            : plan === null
              ? ""
              : `${sentence(carriedOutBy(plan, at()))}.`;
        const body = { plan: id, approved_by: by, expires_at: rfc3339(expiresAt), still_needed: stillNeeded, next };
        return { status: 200, body };
      }),
    },
    {
      method: "POST",
      path: new RegExp(`^${PLAN}/reject$`),
      handle: answering(
        Reject,
        '{"hash": the hash of the plan as you read it, "reason": up to 1000 characters}.',
        async (id, { hash, reason = "no reason given" }, proof) => {
          const { by } = await gate.reject(id, proof, reason, hash);
          return { status: 200, body: { plan: id, rejected_by: by } };
        },
      ),
    },
  ];
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const NO_TOKEN = "A personal token is needed: send Authorization: Bearer TOKEN.";

/** RFC 6750 §3: which scheme is wanted, and whether something was wrong with what came. */
const unauthorized = (message: string, given: boolean): Reply =>
  problem(401, "identity.refused", message, {
    "www-authenticate": `Bearer realm="unship"${given ? ', error="invalid_token"' : ""}`,
  });

const limited = (refused: Refusal | null): Reply | null =>
  refused === null ? null : problem(refused.status, "limited", refused.because, refused.headers);

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  "approval.refused": 403,
  "plan.unknown": 404,
  "incident.unknown": 404,
  "plan.changed": 409,
  "plan.expired": 410,
  "input.invalid": 400,
  "ledger.unavailable": 503,
};

/** Texts of our errors are safe to show; anything else is a failure of ours and goes to the log. */
function refusal(error: UnshipError): Reply {
  const status = STATUS[error.code];
  if (status === undefined) throw error;
  return problem(status, error.code, error.message);
}

function jsonOf(body: Buffer): unknown {
  return jsonWithin(body.toString("utf8"), { depth: JSON_DEPTH, values: body.length });
}
