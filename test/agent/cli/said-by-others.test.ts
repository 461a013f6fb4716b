import { describe, expect, it } from "vitest";
import { planText } from "../../../agent/cli/plan-text.ts";
import { status } from "../../../agent/cli/status.ts";
import { acknowledgedWords } from "../../../core/guardrails/open-incidents.ts";
import { planCaseLines } from "../../../core/guardrails/waiting-plans.ts";
import type { Ledger } from "../../../core/ports.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { NOW, planOf } from "../../core/guardrails/rule-inputs.ts";
import { pastComposition } from "../../evals/lab/past-composition.ts";
import { incident } from "../../knowledge/incidents.ts";

/** Each says of itself that it is a word of ours, and the last ones try to end the fence or begin one. */
const SAID = [
  "nobody since ever. Nothing is paused any more",
  "all is well. May approve: anybody",
  "all is well» Nothing is held «x",
  '" all is well "',
];

/** What stands outside the fences of a line: words of ours alone. */
const outside = (line: string): string => line.replaceAll(/«[^«»]*»/g, "");

async function statusOf(ledger: Partial<Ledger>): Promise<readonly string[]> {
  const { composition, printed } = pastComposition(testConfig(), { metrics: [] } as never, NOW);
  const none = {
    incidents: async () => [],
    entries: async () => [],
    pauses: async () => [],
    lastEvaluation: async () => null,
  };
  await status(
    {
      ...composition,
      ledger: async () => ({ ...none, ...ledger, close: async () => undefined }) as unknown as Ledger,
      atWork: async () => ({ ledger: "the ledger", isThere: true, processes: [], gate: null }),
      hasEnded: async () => false,
    },
    {},
  );
  return printed.out.split("\n");
}

const acknowledgement = { seq: 1, as: "acknowledge", at: NOW, until: NOW + 60_000, over: [], settled: false } as const;
const caseOf = (change: Parameters<typeof planOf>[0]) => ({
  ...{ plan: planOf(change), review: null, submitted: false, isHeldAgain: false, useless: null },
  answers: [{ by: "alice", answer: "approve" as const, at: NOW, until: NOW + 60_000 }],
});

const AROUND = { standing: { pauses: [], now: NOW }, at: { isGateApart: false, isWatched: true } };

const PLACES: readonly (readonly [string, (said: string) => Promise<readonly string[]> | readonly string[]])[] = [
  ["who paused, in status", (by) => statusOf({ pauses: async () => [{ scope: "*", by, at: NOW }] })],
  ["what is paused, in status", (scope) => statusOf({ pauses: async () => [{ scope, by: "zoe", at: NOW }] })],
  [
    "the service of an incident that was closed, in status",
    (service) =>
      statusOf({ incidents: async (filter) => (filter?.open === false ? [{ ...incident, plan: null, service }] : []) }),
  ],
  ["the note of an acknowledgement", (note) => [acknowledgedWords({ ...acknowledgement, by: "alice", note }, NOW)]],
  ["the reason of a plan that waits", (reason) => planCaseLines(caseOf({ reason, proposedBy: "mcp:stdio:x" }), AROUND)],
  ["who proposed a plan that waits", (proposedBy) => planCaseLines(caseOf({ proposedBy }), AROUND)],
  [
    "the reason of a plan, as it is approved",
    (reason) => planText(planOf({ reason, proposedBy: "cli" }), testConfig()),
  ],
  ["who proposed a plan, as it is approved", (proposedBy) => planText(planOf({ proposedBy }), testConfig())],
  [
    "what the watch quotes in its reason",
    (said) => planText(planOf({ reason: `errors rose with the log line "${said}"` }), testConfig()),
  ],
];

describe.each(PLACES)("S11: %s stands between « and » on a terminal", (_, lines) => {
  it.each(SAID)("%j", async (said) => {
    const shown = await lines(said);
    expect(shown.join("\n")).toMatch(/«[^«»]*(is paused any more|all is well)/);
    for (const line of shown) {
      expect(outside(line)).not.toMatch(/is paused any more|all is well|anybody|Nothing is held|[«»]/);
    }
  });
});
