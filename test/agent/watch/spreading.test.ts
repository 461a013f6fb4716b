import { expect, it } from "vitest";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import { spreadsFrom } from "../../../agent/watch/spreading.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { changeOf, MINUTE, NOW, planOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { assessmentOf, blameless, caseFileOf, type Trouble, troubleOf } from "./trouble.ts";

const BEGAN = NOW - 10 * MINUTE;
const target = targetOf();

/** A wide incident of checkout, and what is degraded at cart since `after` ms later, each opened by its own assessment. */
function story(after: number, trouble: Partial<Trouble>, changes: readonly Change[]) {
  const troubles = [
    troubleOf(target, BEGAN, blameless),
    troubleOf(target, BEGAN + after, { ...blameless, services: ["cart"], ...trouble }),
  ];
  const caseFile = { ...caseFileOf(NOW, troubles, ["checkout", "cart"]), changes: [...changes] };
  const assess = (name: string) => ({ ...assessmentOf(caseFile, troubles, [name]), changes: [...changes] });
  return {
    caseFile,
    wide: { ...openIncident("wide", assess("checkout")), wide: true as const },
    late: openIncident("late", assess("cart")),
    assessment: assess("cart"),
  };
}

const itself = (one: Incident): Incident => one;
const deployed = (startedAt: number): Change =>
  changeOf(target, { service: "cart", startedAt, finishedAt: startedAt + MINUTE });

it.each<
  [string, { after: number; trouble?: Partial<Trouble>; changes?: readonly Change[]; wide?: typeof itself }, boolean]
>([
  ["began within a minute of what the wide cause reached", { after: MINUTE }, true],
  ["began long after all that it reached", { after: 5 * MINUTE }, false],
  ["may be of a change, by its probability", { after: MINUTE, trouble: { noChangeProbability: 0.6 } }, false],
  ["began while a source of changes does not answer", { after: MINUTE, trouble: { unheard: ["kubernetes"] } }, true],
  ["was being changed when it began", { after: MINUTE, changes: [deployed(BEGAN)] }, false],
  ["was changed since it was found", { after: MINUTE, changes: [deployed(NOW + 1)] }, false],
  ["was changed a day before", { after: MINUTE, changes: [deployed(NOW - 1440 * MINUTE)] }, true],
  ["began beside an incident of one service", { after: MINUTE, wide: ({ wide: _, ...one }) => one }, false],
  ["began beside one with a plan", { after: MINUTE, wide: (one) => ({ ...one, plan: planOf() }) }, false],
  [
    "began beside one whose act did not help",
    { after: MINUTE, wide: (one) => ({ ...one, stage: "verifying", outcome: "not-recovered" }) },
    false,
  ],
])("what %s", (_, { after, trouble = {}, changes = [], wide = itself }, joins) => {
  const { caseFile, late, assessment, ...known } = story(after, trouble, changes);
  const open = [wide(known.wide), late];
  const found = spreadsFrom(late, assessment, { caseFile, open: () => open });
  expect(found?.id).toBe(joins ? "wide" : undefined);
});
