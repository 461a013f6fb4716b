import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { HARM } from "../../../evals/demo/harm.ts";
import { type DemoResult, jsonResults, type Witness } from "../../../evals/demo/result.ts";
import { isAbout, judgeTogether, type Told, type Trouble, troublesOf } from "../../../evals/demo/troubles.ts";
import { SCENARIO_NAMES, SCENARIOS, type Scenario } from "../../../evals/sandbox/scenarios.ts";
import { callsOf, servicesOf, WORLDS, type WorldName } from "../../../evals/sandbox/worlds.ts";

const ONSET = 1_000_000;

/** An incident of one world that was rolled back and recovered, so many seconds after the first onset. */
function incident(culprit: string, services: readonly string[], seconds: number): Incident {
  const at = ONSET + seconds * 1000;
  return {
    id: culprit,
    outcome: "recovered",
    service: services[0],
    affectedServices: services,
    detectedAt: at + 5000,
    closedAt: at + 30_000,
    recovery: { verdict: "recovered", at: at + 30_000, checks: [] },
    decision: {
      action: "rollback",
      culprit: { changeId: `deploy:production/${culprit}:3`, probability: 0.99 },
      changeIds: [`deploy:production/${culprit}:3`],
    },
    gate: { executedAt: at + 15_000, review: { verdict: "allow", rules: [] }, results: [] },
    timeline: [{ at: at + 5000, event: "decided: rollback", detail: "" }],
  } as unknown as Incident; // as: the part of an incident that the judgement reads
}

const image = (service: string, version: string) => `shop/${service}:${version}`;
const write = (service: string, at: number, version = "1.1.0"): Witness["writes"][number] => ({
  api: "kubernetes",
  at,
  method: "PATCH",
  path: `/apis/apps/v1/namespaces/production/deployments/${service}?fieldManager=unship`,
  body: [
    {
      op: "replace",
      path: "/spec/template",
      value: { spec: { containers: [{ name: service, image: image(service, version) }] } },
    },
  ],
  own: false,
});

/** A second of visitors each: bad in this way between the onset and the act, else sound. */
const visitors = (onset: number, bad: { readonly failing?: number; readonly p99Ms?: number }): Witness["traffic"] =>
  Array.from({ length: 80 }, (_, second) => {
    const at = ONSET - 20_000 + second * 1000;
    const now = at >= onset && at < onset + 16_000 ? bad : {};
    return {
      kind: "report",
      at,
      sent: 60,
      failed: 60 * (now.failing ?? 0),
      answered: 60,
      p50Ms: 15,
      p99Ms: now.p99Ms ?? 40,
    };
  });
const state = (service: string, at: number, version: string): Witness["states"][number] => ({
  at,
  runs: image(service, version),
  complete: true,
  pods: 2,
  ready: 2,
});

const [PAYMENTS, FIGURES] = troublesOf("two");
if (FIGURES === undefined) throw new Error("the scenario has one trouble only");
const LATER = 8;

function told(trouble: Trouble, seconds: number, one: Incident | null, writes: Witness["writes"]): Told {
  const onset = ONSET + seconds * 1000;
  const culprit = trouble.culprit ?? "";
  const result: DemoResult = { scenario: "two", onset, incident: one, postmortem: null };
  return {
    trouble,
    result,
    witness: {
      writes,
      traffic: visitors(onset, trouble.harm === "latency" ? { p99Ms: 3000 } : { failing: 0.3 }),
      culprit,
      action: trouble.action,
      harm: trouble.harm,
      states: [
        state(culprit, onset - 1000, "1.1.0"),
        state(culprit, onset + 5000, "1.2.0"),
        state(culprit, onset + 40_000, "1.1.0"),
      ],
      blind: [],
      mustNotice: true,
      noticed: true,
      held: null,
    },
  };
}

const FIRST = incident("payments", ["payments", "checkout", "gateway"], 0);
const SECOND = incident("figures", ["figures", "reports"], LATER);
const WRITES = [write("payments", ONSET + 14_900), write("figures", ONSET + LATER * 1000 + 14_900)];

const judged = (first: Incident | null, second: Incident | null, writes: Witness["writes"]) =>
  judgeTogether([told(PAYMENTS, 0, first, writes), told(FIGURES, LATER, second, writes)]);

describe("two troubles at once", () => {
  it("are well where each was rolled back by its own write, in an incident of its own", () => {
    expect(judged(FIRST, SECOND, WRITES)).toEqual({ ok: true, reasons: [], unproven: [] });
  });

  it.each<[string, Incident | null, Incident | null, Witness["writes"], RegExp]>([
    ["the second was never an incident", FIRST, null, WRITES.slice(0, 1), /^figures: the decision was no_action/],
    ["the first was never one", null, SECOND, WRITES.slice(1), /^payments: the decision was no_action/],
    ["the second was decided and not written", FIRST, SECOND, WRITES.slice(0, 1), /^figures: the sandbox recorded 0/],
    ["one was written twice", FIRST, SECOND, [...WRITES, write("figures", ONSET + 24_000)], /^figures: .* 2 writes/],
    ["a third service was written", FIRST, SECOND, [...WRITES, write("cart", ONSET + 20_000)], /cart.* is on nothing/],
    [
      "the second was set to another version",
      FIRST,
      SECOND,
      [...WRITES.slice(0, 1), write("figures", ONSET + LATER * 1000 + 14_900, "1.0.0")],
      /^figures: the write does not set/,
    ],
    [
      "one incident holds both",
      incident("payments", ["payments", "checkout", "figures"], 0),
      SECOND,
      WRITES,
      /incident of payments holds figures/,
    ],
    ["the second did not recover", FIRST, { ...SECOND, outcome: "not-recovered" }, WRITES, /^figures: there was no/],
  ])("fail where %s", (_, first, second, writes, why) => {
    const { ok, reasons } = judged(first, second, writes);
    expect(ok).toBe(false);
    expect(reasons).toEqual(expect.arrayContaining([expect.stringMatching(why)]));
  });

  it("of one release may be undone in one incident, by a write on each", () => {
    const [figures, reports] = troublesOf("train");
    if (reports === undefined) throw new Error("the release has one service only");
    const both = { ...incident("figures", ["figures", "reports"], 0), id: "both" };
    const writes = [write("figures", ONSET + 14_900), write("reports", ONSET + 14_950)];
    const judge = (seen: Witness["writes"]) =>
      judgeTogether([figures, reports].map((trouble) => told(trouble, 0, both, seen)));
    expect(judge(writes)).toMatchObject({ ok: true, reasons: [] });
    expect(judge(writes.slice(0, 1))).toMatchObject({ ok: false });
  });

  it("of one release are written one after the other, each when its own target was executed", () => {
    const [figures, reports] = troublesOf("train");
    if (reports === undefined) throw new Error("the release has one service only");
    const done = (name: string, at: number) => ({ target: { object: { name } }, result: "done", at });
    const plain = incident("figures", ["figures", "reports"], 0);
    const of = (firstAt: number) =>
      ({
        ...plain,
        gate: { ...plain.gate, results: [done("figures", firstAt), done("reports", ONSET + 15_000)] },
      }) as unknown as Incident; // as: the part of a result that the judgement reads
    const writes = [write("figures", ONSET + 8000), write("reports", ONSET + 14_950)];
    const judge = (both: Incident) =>
      judgeTogether([figures, reports].map((trouble) => told(trouble, 0, both, writes)));
    expect(judge(of(ONSET + 8100))).toMatchObject({ ok: true, reasons: [] });
    expect(judge(of(ONSET + 15_000)).reasons).toEqual([
      "figures: the write was not made between execution and recovery",
    ]);
  });

  it("have one result: the first one's, with the second's beside it", () => {
    const results = [told(PAYMENTS, 0, FIRST, []), told(FIGURES, LATER, null, [])].map(({ result }) => result);
    expect(jsonResults(results)).toMatchObject({
      action: "rollback",
      culprit: { change_id: "deploy:production/payments:3" },
      also: [{ action: "no_action", culprit: null, recovered_at: null }],
    });
    expect(jsonResults(results.slice(0, 1))).not.toHaveProperty("also");
  });
});

describe("an incident is about a trouble", () => {
  const undecided = (service: string) => ({ ...FIRST, service, decision: null });
  it.each<[string, Incident, boolean, boolean]>([
    ["whose object it undoes", SECOND, false, true],
    ["and about no other, whatever it lists", incident("payments", ["figures", "payments"], 0), true, false],
    ["of whose world the service is, before anything is decided", undecided("reports"), false, true],
    ["of the shop, where a service of the shop was noticed first", undecided("gateway"), true, false],
    ["of nobody, where what it undoes is nobody's", incident("cart", ["payments"], 0), false, false],
  ])("%s", (_, one, ofPayments, ofFigures) => {
    expect([isAbout(one, PAYMENTS), isAbout(one, FIGURES)]).toEqual([ofPayments, ofFigures]);
  });
});

describe("the worlds of the sandbox", () => {
  const names = Object.keys(WORLDS) as WorldName[]; // as: the keys of a constant
  it("share no service, and no call leaves one but to what is outside", () => {
    expect(new Set(servicesOf(names)).size).toBe(servicesOf(names).length);
    for (const name of names)
      for (const [caller, callee] of callsOf([name])) {
        expect(servicesOf([name])).toContain(caller);
        expect([...servicesOf([name]), ...WORLDS[name].external]).toContain(callee);
      }
  });

  it.each(SCENARIO_NAMES)("%s says how each of its troubles hurts, and breaks what runs", (name) => {
    const { worlds = ["shop"], also = [] }: Scenario = SCENARIOS[name];
    expect(HARM[name]).toHaveLength(1 + also.length);
    for (const { culprit, world } of also) {
      expect(worlds).toContain(world);
      expect(servicesOf([world])).toContain(culprit);
    }
  });

  it.each(names)("%s has visitors who ask what its door answers", (name) => {
    const { mix, services, door } = WORLDS[name];
    expect(services).toContain(door);
    expect(mix.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
  });
});
