import { describe, expect, it } from "vitest";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { at, incident } from "./incidents.ts";
import { held } from "./variants.ts";

const reserved = (approvedBy: string | null): LedgerEntry => ({
  seq: 14,
  at: at("14:13:05"),
  kind: LEDGER_KINDS.planReserved,
  incidentId: incident.id,
  planId: incident.gate?.planId ?? null,
  actor: "gate",
  body: { approvedBy },
  prev: "0".repeat(64),
  hash: "1".repeat(64),
});

describe("S15: a postmortem says what the other surfaces say", () => {
  it.each([
    ["alice, bob", "**executed**, approved by alice and bob."],
    [null, "**executed** (allowed), without a person."],
  ])("by whose approval its plan was executed: %s", (by, words) => {
    expect(postmortem(incident, [reserved(by)])).toContain(words);
  });

  it.each([
    ["told at once", "14:13:15", 0],
    ["lost, and asked for later", "14:13:02", 1],
  ])("when an act was sent whose answer was %s", (_, sent, rows) => {
    const [target] = incident.plan?.targets ?? [];
    const attempted = {
      ...reserved(null),
      at: at(sent),
      kind: LEDGER_KINDS.targetAttempted,
      body: { position: 0, target },
    };
    const told = postmortem(incident, [attempted])
      .split("\n")
      .filter((line) => line.includes("| sent |"));
    expect(told).toHaveLength(rows);
    for (const line of told)
      expect(line).toMatch(/^\| 14:13:02 .*Deployment production\/checkout; its outcome was known at 14:13:16/);
  });

  it("late answers where they harm more than failed requests, before the share of those", () => {
    const { impact } = incident;
    if (impact === null) throw new Error("the incident has an impact");
    const sentence = "p99_latency of checkout is 4.2 times the baseline";
    const slow = {
      ...impact,
      failedShare: 0.0009,
      slowShare: 0.5,
      sentences: [sentence, "0.1 % of requests fail at web"],
    };
    const text = postmortem({ ...incident, impact: slow });
    expect(text).toContain(`was high: ${sentence.replace(" is ", " was ")}; 0.09 % of requests failed at \`web\`.`);
    expect(text).toContain("| Share of requests that became slow, at the worst service | 50 % |");
  });

  it.each<[name: string, backBy: Incident["backBy"], words: string]>([
    [
      "somebody changed",
      { change: { id: "d9", service: "checkout" }, unheard: [] },
      "after somebody had changed checkout (d9)",
    ],
    ["nobody is known to have changed anything", { change: null, unheard: [] }, "with no known change"],
    ["a source did not say", { change: null, unheard: ["argocd did not say changes"] }, "why is not known"],
  ])("how the signals came back, and never that they did by themselves: %s", (_, backBy, words) => {
    const text = postmortem({ ...held, backSince: at("14:40:00"), ...(backBy === undefined ? {} : { backBy }) });
    expect(text).toContain(words);
    expect(text).not.toMatch(/by (itself|themselves)/);
  });
});
