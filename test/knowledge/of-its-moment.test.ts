import { describe, expect, it } from "vitest";
import { extentWith } from "../../core/model/extent.ts";
import type { Incident } from "../../core/model/incident.ts";
import { OutcomeKind } from "../../core/model/incident.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { recordOf } from "../../knowledge/record.ts";
import { at, incident } from "./incidents.ts";
import { external, held } from "./variants.ts";

const decidedLine = (event: string, time: string) => ({ at: at(time), event: `decided: ${event}`, detail: "why" });

/** The plan waits: the decision and the conditions are renewed with each evaluation. */
const judgedAgain = (time: string, recorded: string, one: Incident = held): Incident => ({
  ...one,
  timeline: [...one.timeline, decidedLine(recorded, "14:12:15")],
  decision: one.decision && { ...one.decision, decidedAt: at(time) },
  seenAt: at(time),
});

describe("S15: a draft tells of each fact of when it is", () => {
  it.each<[what: string, incident: Incident, decided: string, conditions: string]>([
    [
      "as they were when it was decided",
      judgedAgain("14:12:15", "rollback d1"),
      "Decided at 14:12:15: **rollback**.",
      "Policy conditions when it was decided:",
    ],
    [
      "as they are while the plan waits",
      judgedAgain("14:15:40", "rollback d1"),
      "Decided at 14:12:15: **rollback**. Judged again at 14:15:40: the same, since:",
      "Policy conditions as of 14:15:40:",
    ],
    [
      "as they are since it is decided otherwise",
      judgedAgain("14:15:40", "no_action while a policy condition holds"),
      "Decided at 14:12:15: **no action**. Judged again at 14:15:40: **rollback**, since:",
      "Policy conditions as of 14:15:40:",
    ],
    [
      "of a moment that an old record does not hold",
      held,
      "Decided at 14:12:15: **rollback**.",
      "Policy conditions when it was judged last:",
    ],
  ])("its reasons and conditions %s", (_, one, decided, conditions) => {
    const text = postmortem(one);
    expect(text).toContain(decided);
    expect(text).toContain(conditions);
  });

  it("its first onset and the one that it was dated to anew, each as what it is", () => {
    const { detectedAt, onset, findings, impact, affectedServices } = incident;
    if (onset === null) throw new Error("the incident has an onset");
    const extent = extentWith(undefined, { detectedAt, onset, findings, impact, services: affectedServices });
    const move = at("14:12:40") - onset.at;
    const anew = { ...onset, at: onset.at + move, earliest: onset.earliest + move, latest: onset.latest + move };
    const text = postmortem({ ...incident, onset: anew, extent });
    expect(text).toContain("From about 2026-03-02 14:10:05 UTC");
    expect(text).toContain("What it is judged by began at about 14:12:40: it was dated anew.");
    expect(text).toMatch(/^\| 14:10:05 \|.*\| onset \|/m);
    expect(text).toMatch(/^\| 14:12:40 \|.*\| onset, dated anew \|/m);
    expect(text).toContain("The onset meant here is the one that was dated anew, 14:12:40.");
    expect(postmortem({ ...incident, extent })).not.toMatch(/dated anew/);
  });
});

const OTHER = "inc-20260302-141000-gateway";
const SAYS_HOW_IT_ENDED =
  /degradation was over|nothing had to be undone|nothing was executed|wrote nothing|cause was not found|still open|Find and fix|Find the cause|recovery was not confirmed|no action taken/i;

describe("S15: an incident that went on in another one", () => {
  const variants = { held, external };
  for (const [name, one] of Object.entries(variants))
    it.each(OutcomeKind.options)(`says where, and not that it was over: ${name}, closed as %s`, (outcome) => {
      const text = postmortem({ ...one, plan: null, gate: null, recovery: null, outcome, joined: OTHER });
      expect(text).toContain(`: went on in \`${OTHER}\``);
      expect(text).toContain(`went on in \`${OTHER}\`:** the draft of that incident tells the cause`);
      const told = text.slice(0, text.indexOf("## Timeline")) + text.slice(text.indexOf("## Follow-ups"));
      expect(told).not.toMatch(SAYS_HOW_IT_ENDED);
      expect(recordOf({ ...one, outcome, joined: OTHER }, [])?.summary).toContain(`It went on in ${OTHER}.`);
    });
});
