import { describe, expect, it } from "vitest";
import type { Decision } from "../../core/model/decision.ts";
import type { Incident, IncidentStage } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { at, incident } from "./incidents.ts";
import { external, held, hotfix, unmended } from "./variants.ts";

const opened = (one: Incident, stage: IncidentStage): Incident => ({ ...one, stage, outcome: null, closedAt: null });
const { ranking, plan, gate } = incident;
if (ranking === null || plan === null || gate === null) throw new Error("the incident was decided and acted on");
const [target] = plan.targets;
const [result] = gate.results;
if (target === undefined || result === undefined) throw new Error("its plan has a target, which was written");

const OPEN: readonly (readonly [string, Incident])[] = [
  [
    "just detected",
    opened(
      { ...incident, decision: null, ranking: null, plan: null, gate: null, recovery: null, impact: null },
      "detected",
    ),
  ],
  ["decided and not acted upon", opened({ ...incident, gate: null, plan: null, recovery: null }, "waiting-policy")],
  ["that waits for a person", opened(held, "waiting-approval")],
  ["without a suspected change", opened({ ...external, recovery: null }, "investigated")],
  ["with a hotfix recommended", opened({ ...hotfix, recovery: null }, "investigated")],
  ["under verification", opened({ ...incident, recovery: { verdict: "pending", at: null, checks: [] } }, "verifying")],
  ["whose act did not help", opened(unmended, "verifying")],
];

/** What is said of something that has an end. */
const OVER =
  /\b(was|were) (degraded|affected|not determined|executed|not assessed|not judged)\b|impact was|went from|was at |(?<!have )failed at the worst|No decision was made|wrote nothing|recommended a hotfix and changed|How long it lasted is|recovery was not confirmed|was answered\. Would|nobody answered|was not found|did not recover\b|no action taken|No changes were compared|had to agree/i;

describe("S15: a draft of an open incident says that it is open, and as of when", () => {
  it.each(OPEN)("of one %s", (_, one) => {
    const draft = postmortem(one);
    expect(draft).toMatch(/^# .*(still open)/);
    expect(draft).toContain("**The incident is open.** This is what the record holds as of 2026-03-02 14:");
    expect(draft.match(OVER)?.[0]).toBeUndefined();
    expect(draft).not.toContain("Nothing that this record knows of.");
    expect(draft).toContain("Whether and when it recovers: the incident is open.");
  });

  it.each(OPEN)("and not of the same one %s once it is closed", (_, one) => {
    const draft = postmortem({ ...one, stage: "closed", outcome: "unknown", closedAt: at("14:30:00") });
    expect(draft).not.toMatch(/is open|still open|so far|not known yet/i);
  });

  it.each<[string, Incident, readonly LedgerEntry[], string]>([
    ["its newest event", opened(held, "waiting-approval"), [], "14:12:15"],
    ["its newest evaluation", { ...opened(held, "waiting-approval"), seenAt: at("14:15:40") }, [], "14:15:40"],
    [
      "its newest entry in the ledger",
      opened(held, "waiting-approval"),
      [entry("approval.given", {}, "14:16:00")],
      "14:16:00",
    ],
  ])("as of %s", (_, one, entries, when) => {
    const newest = one.timeline.filter((event) => event.at <= at("14:12:15"));
    expect(postmortem({ ...one, timeline: newest }, entries)).toContain(`as of 2026-03-02 ${when} UTC`);
  });
});

function entry(kind: string, body: unknown, time: string, planId = plan?.id ?? ""): LedgerEntry {
  const hash = "0".repeat(64);
  return { seq: 1, at: at(time), kind, incidentId: incident.id, planId, actor: "gate", body, prev: hash, hash };
}

const begun = [
  entry("plan.reserved", { owner: "gone", approvedBy: null, review: gate.review }, "14:13:10"),
  entry("target.attempted", { position: 0, key: "plan-4:0", target, attempt: 1 }, "14:13:11"),
];
const finished = entry("target.finished", { position: 0, key: "plan-4:0", result, released: false }, "14:13:16");

describe("S5, S15: a draft tells what was done as the ledger has it", () => {
  const killed = opened({ ...incident, gate: null, recovery: null }, "executing");

  it("never says that nothing was executed while a target is unsettled after a kill", () => {
    const draft = postmortem(killed, begun);
    expect(draft).toContain("Whether its targets were written is not known (in-progress)");
    expect(draft).toContain("being rolled back; the outcome is not known yet");
    expect(draft).toContain("Whether Deployment production/checkout was written.");
    expect(draft).toContain("**Now:** whether `Deployment production/checkout` was written is not known.");
    expect(draft).not.toMatch(/nothing (was|has been) (executed|written)/i);
  });

  it("nor after the write is known and the plan is not answered yet", () => {
    const draft = postmortem(killed, [...begun, finished]);
    expect(draft).toContain("Some targets were rolled back, and the outcome of the rest is not known yet");
    expect(draft).not.toMatch(/nothing (was|has been) (executed|written)/i);
  });

  it("tells what the ledger was told since of a target that was unknown", () => {
    const unknown = { ...gate, outcome: "stopped" as const, results: [{ ...result, result: "unknown" as const }] };
    const settled = { ...gate, outcome: "executed" as const };
    const answers = [entry("plan.answered", unknown, "14:13:30"), entry("plan.answered", settled, "14:20:00")];
    const draft = postmortem({ ...incident, gate: unknown }, [...begun, ...answers]);
    expect(draft).toContain("At 14:13:16 unship put `checkout` back to `v1.4.1`");
    expect(draft).not.toContain("Whether its targets were written is not known");
  });

  it("tells of a plan beside its own that was begun for it, whatever was decided", () => {
    const decision: Decision | null = incident.decision && { ...incident.decision, action: "no_action", culprit: null };
    const others = begun.map((one) => ({ ...one, planId: "plan-of-a-person" }));
    const draft = postmortem(
      { ...incident, decision, plan: null, gate: null, recovery: null, outcome: "unknown" },
      others,
    );
    expect(draft).toContain("Another plan was begun for it, `plan-of-a-person`");
    expect(draft).toContain("- Deployment production/checkout: being rolled back; the outcome is not known yet");
    expect(draft).not.toMatch(/took no action|nothing was (executed|written)/i);
  });

  it("leaves the record's own answer where it is settled, and where no target was tried", () => {
    expect(postmortem(incident, begun)).toContain("At 14:13:16 unship put `checkout` back to `v1.4.1`");
    expect(postmortem(opened({ ...incident, gate: null, recovery: null }, "executing"), [])).toContain(
      "nothing has been executed so far",
    );
  });
});

describe("S15: a draft names the kinds of evidence that its probabilities are computed from, and no other", () => {
  const sentenceOf = (one: Incident) => /The probabilities are [^\n]*/.exec(postmortem(one))?.[0];
  const reason = (name: string) => ({ name, logOdds: 1, sentence: "." });
  const weighing = (names: readonly string[], weighed?: NonNullable<typeof ranking>["weighed"]): Incident => ({
    ...incident,
    ranking: {
      ...ranking,
      candidates: ranking.candidates.map((one) => ({ ...one, reasons: names.map(reason) })),
      noChangeReasons: [reason("prior")],
      ...(weighed === undefined ? {} : { weighed }),
    },
  });

  it.each<[readonly string[], NonNullable<typeof ranking>["weighed"], string]>([
    [["prior", "timing"], [], "timing"],
    [["timing", "place"], ["call-graph"], "timing, which services are affected and the call graph"],
    [
      ["timing", "place", "logs"],
      ["call-graph", "logs"],
      "timing, which services are affected, the call graph and logs",
    ],
    [["timing", "place"], ["traces"], "timing, which services are affected and traces"],
    [["timing", "versions", "readiness"], [], "timing, versions and readiness of pods"],
    [["timing", "place"], undefined, "timing and which services are affected"],
  ])("reasons %j, and there were %j", (names, weighed, kinds) => {
    expect(sentenceOf(weighing(names, weighed))).toBe(
      `The probabilities are computed from ${kinds}; they sum to 100 %.`,
    );
  });

  it("where no reason was recorded it says so", () => {
    const bare = {
      ...ranking,
      candidates: ranking.candidates.map((one) => ({ ...one, reasons: [] })),
      noChangeReasons: [],
    };
    expect(sentenceOf({ ...incident, ranking: bare })).toBeUndefined();
    expect(postmortem({ ...incident, ranking: bare })).toContain(
      "What the probabilities are computed from is not recorded; they sum to 100 %.",
    );
  });

  it("of priors alone it says that there was no evidence", () => {
    expect(sentenceOf(weighing(["prior"], []))).toBe(
      "The probabilities are priors: there was no evidence; they sum to 100 %.",
    );
  });
});
