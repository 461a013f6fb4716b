import { type GateReview, NO_INCIDENT, type Target } from "../model/plan.ts";
import type { Pause, StoreFacts } from "./gate-store.ts";
import { reviewWith } from "./review.ts";
import type { GatePolicy, Rule } from "./rule.ts";
import { allowedActions } from "./rules/allowed-actions.ts";
import { freeze } from "./rules/freeze.ts";
import { mode } from "./rules/mode.ts";
import { neverAuto } from "./rules/never-auto.ts";
import { paused } from "./rules/paused.ts";
import { requireApproval } from "./rules/require-approval.ts";

/** Rules that read the policy, the pauses and the time, and nothing of the evidence or of the targets' present state. */
const STANDING: readonly Rule[] = [paused, mode, allowedActions, freeze, neverAuto, requireApproval];

const NO_FACTS: StoreFacts = {
  skewMs: 0,
  pauses: [],
  used: [],
  automatic: [],
  healthy: new Map(),
  busy: [],
  ownActs: [],
  approvals: [],
  incident: "none",
  refusals: [],
  reserved: [],
  permit: null,
  answer: null,
};

/**
 * What the gate would say at `now` (Unix ms) of a plan with these targets, by what stands whatever the evidence is: the
 * mode, pauses, what the file allows and protects, freezes. Budgets, versions and evidence are the gate's to judge when
 * a plan is submitted, so that "allow" here promises nothing. For whoever only reads; pure.
 */
export function standingLimits(
  targets: readonly Target[],
  policy: GatePolicy,
  pauses: readonly Pause[],
  now: number,
): GateReview {
  const plan = { id: "", hash: "", incidentId: NO_INCIDENT, targets: [...targets], reason: "", proposedBy: "" };
  return reviewWith(STANDING, {
    plan: { ...plan, createdAt: now, expiresAt: now },
    contentHash: "",
    now,
    policy,
    assessment: null,
    targets: [],
    traffic: null,
    store: { ...NO_FACTS, pauses },
  });
}
