import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Incident } from "../../core/model/incident.ts";
import type { LedgerEntry, RecalledIncident } from "../../core/ports.ts";
import { code, prose } from "../../knowledge/postmortem/markdown.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { at, incident, series } from "./incidents.ts";
import { external, flag, HOSTILE, held, hostile, hotfix, unknown, unmended } from "./variants.ts";

const entry = (seq: number, kind: string, actor: string): LedgerEntry => ({
  seq,
  at: at("14:13:05"),
  kind,
  incidentId: incident.id,
  planId: "plan-4",
  actor,
  body: {},
  prev: "0".repeat(64),
  hash: `${seq}`.padStart(64, "a"),
});

const past: RecalledIncident = {
  incidentId: "inc-20260114-checkout",
  at: Date.parse("2026-01-14T09:00:00Z"),
  summary: "checkout: rollback, outcome recovered.",
  outcome: "recovered",
  score: 0.03,
};

describe("the postmortem draft", () => {
  it.each<[name: string, incident: Incident]>([
    ["recovered", incident],
    ["external-outage", external],
    ["held-and-expired", held],
    ["not-recovered", unmended],
    ["recovery-unknown", unknown],
    ["hotfix-recommended", hotfix],
    ["flag-off", flag],
  ])("of an incident that went %s reads as it did when it was last approved", async (name, one) => {
    const entries = [entry(12, "plan.proposed", "watch"), entry(13, "approval.given", "robin")];
    const text = postmortem(one, entries, [past], { series, chartFile: `${one.id}.svg` });
    await expect(text).toMatchFileSnapshot(`drafts/${name}.md`);
    expect(postmortem(one, entries, [past], { series, chartFile: `${one.id}.svg` })).toBe(text);
  });

  it.each<[string, Incident]>([
    ["not recovered", unmended],
    ["of unknown recovery", unknown],
    ["executed and never judged", { ...incident, recovery: null, timeline: [] }],
    ["still pending", { ...incident, recovery: { verdict: "pending", at: null, checks: [] }, timeline: [] }],
    ["held", held],
  ])("never says recovered of an incident that is %s", (_, one) => {
    const claims = postmortem(one).match(/(?<!not-|not |whether .{0,80})\brecovered\b.*/gi) ?? [];
    expect(claims).toEqual([]);
  });

  it("says recovered only because of the verification's verdict, not of the outcome's", () => {
    expect(postmortem({ ...unknown, outcome: "recovered" })).toContain("Whether it recovered is not known");
  });

  it("says of which services the verdict says nothing", () => {
    const superseded = [{ service: "payments", what: "newer put v3 in the place of v1 of payments" }];
    const sentence = "That says nothing of `payments`: another change was at work there before it was clear.";
    expect(postmortem({ ...incident, superseded })).toContain(sentence);
    expect(postmortem(incident)).not.toContain("That says nothing of");
  });

  it("says that there is no chart where the samples are not at hand", () => {
    expect(postmortem(incident)).toContain("No chart: the samples around the incident are not at hand.");
  });

  it("draws a missing sample as a dot, never as a zero", () => {
    const gap = series.map((one) => ({ ...one, values: one.values.map((value) => (value === 0.002 ? null : value)) }));
    expect(postmortem(incident, [], [], { series: gap })).toMatch(/^[·▁-█]*·[·▁-█]*$/m);
  });

  it("puts what can go wrong tonight before what can wait", () => {
    const todo = postmortem(unmended).split("## Follow-ups")[1] ?? "";
    expect(todo.indexOf("**Now:**")).toBeLessThan(todo.indexOf("**Before the next deploy:**"));
    expect(todo.indexOf("**Before the next deploy:**")).toBeLessThan(todo.indexOf("Add a test"));
    expect(todo).toContain("last-applied-configuration still names v1.4.2");
  });

  it("keeps hostile text in its place, wherever it comes from", () => {
    const text = postmortem(hostile, [entry(1, "approval.given", HOSTILE)], [{ ...past, summary: HOSTILE }], {
      series,
    });
    const outside = withoutCode(text);
    expect(outside).not.toMatch(/<(?!br>)/);
    expect(text).not.toMatch(/^#+ Owned/m);
    expect(outside).not.toMatch(/(?<!\\)\]\(/);
    expect(outside).not.toContain("http://evil");
    expect(text).not.toContain("hunter2secret");
    expect(text).not.toContain("\u202e");
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => /^`{3,}/.test(line)).length % 2).toBe(0);
    expect(sections(text)).toEqual(sections(postmortem(unmended, [], [past], { series })));
  });
});

describe("text in Markdown", () => {
  const outside = fc.string({ unit: fc.constantFrom(..."`|<>&*_[]()#+-=~\\ \n\tab1.!:/$", "https://x", "<b>", "```") });

  it("inline code ends where it should, whatever is in it", () => {
    fc.assert(
      fc.property(outside, (text) => {
        const made = code(text);
        expect(made === "(empty)" || /^`[^`|\n]+`$/.test(made)).toBe(true);
      }),
    );
  });

  it("prose starts no tag, link, code, emphasis, table cell or new line, whatever is in it", () => {
    fc.assert(
      fc.property(outside, (text) => {
        const bare = prose(text).replaceAll(/\\[\\`*[\]|~_#+=>.)-]/g, "");
        expect(bare).not.toMatch(/[<`*[\]|\n]|:\/\//);
        expect(bare.replaceAll(/&(?:amp|lt);/g, "")).not.toContain("&");
      }),
    );
  });
});

const sections = (text: string) => text.split("\n").filter((line) => line.startsWith("## "));

function withoutCode(text: string): string {
  return text.replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}
