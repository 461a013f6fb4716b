import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evidenceAbout } from "../../../core/assessment/partition.ts";
import { beganBeside } from "../../../core/correlation/began-beside.ts";
import { type Beside, besideText } from "../../../core/correlation/beside-text.ts";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { gatherEvidence } from "../../../core/correlation/rank.ts";
import { caseOf, deployed, failing, SECOND, type World } from "../assessment/fleet-case.ts";

const OPTIONS = { versionLabel: "version", windowMs: 1_800_000 };

/** What is said of the incident of these services. */
function toldOf(world: World, services: readonly string[]) {
  const caseFile = evidenceAbout(caseOf(world), services);
  const first = Math.min(...services.flatMap((one) => world.fails[one] ?? []));
  const { onset } = failing(services[0] ?? "", first);
  if (onset === null) throw new Error("a failing service has an onset");
  const seen = gatherEvidence(caseFile, onset, new Set(services), OPTIONS);
  const met = caseFile.changes.flatMap((change): readonly Beside[] => {
    const beside = beganBeside(change, new Set(), seen);
    return beside === null ? [] : [{ change, beside, logOdds: 0 }];
  });
  return { met, text: met.length === 0 ? null : besideText(met, seen) };
}

const siblings = (stockS: number) =>
  toldOf(
    {
      edges: ["cart", "stock"].map((callee) => ["web", callee] as const),
      fails: { cart: 0, web: 2, stock: stockS },
      changes: ["cart", "stock"].map((one) => deployed(one, -10)),
    },
    ["cart", "web"],
  ).text;

describe("S15: what began beside a changed service is told as it was measured", () => {
  it.each<[apart: string, stockS: number, told: RegExp]>([
    [
      "in one sample",
      0,
      /^cart \(deploy-cart\) and stock(?: \(deploy-stock\))? began to be degraded at the same time, and no/,
    ],
    [
      "3s apart",
      3,
      /^cart \(deploy-cart\) and stock(?: \(deploy-stock\))? began to be degraded within 3s of each other, and no/,
    ],
    ["12s apart", 12, /began to be degraded within 12s of each other, and no known call joins them: something beneath/],
  ])("%s", (_, stockS, told) => expect(siblings(stockS)).toMatch(told));

  const CHAIN = {
    edges: [
      ["web", "cart"],
      ["cart", "stock"],
      ["portal", "portal-db"],
      ["solo", "solo-db"],
    ] as const,
    fails: { stock: 0, cart: 1, web: 2, portal: 15, solo: 33 },
  };

  it("names those that it was compared with, and not the callers that were changed as well", () => {
    const { text } = toldOf({ ...CHAIN, changes: [deployed("stock", -1), deployed("web", 20)] }, [
      "cart",
      "stock",
      "web",
    ]);
    expect(text).toMatch(
      /^portal and solo began to be degraded within 33s of stock \(deploy-stock\), and no known call joins them to stock: /,
    );
    expect(text).not.toContain("web");
  });

  it("says of no two that no known call joins them where one does, whatever was changed when", () => {
    const services = Object.keys(CHAIN.fails);
    const name = fc.constantFrom(...services);
    const graphs = fc.uniqueArray(fc.tuple(name, name), { maxLength: 5, selector: (edge) => edge.join() });
    const changes = fc.dictionary(name, fc.integer({ min: -60, max: 60 }), { minKeys: 1 });
    const fails = fc.dictionary(name, fc.integer({ min: 0, max: 50 }), { minKeys: 2 });
    let said = 0;
    fc.assert(
      fc.property(graphs, fails, changes, (drawn, failed, deploys) => {
        const edges = [...drawn.filter(([a, b]) => a !== b), ...services.map((one) => [one, `${one}-db`] as const)];
        const graph = createCallGraph({ edges: edges.map(([a, b]) => [a, b]), external: [] });
        const joins = (a: string, b: string) => a === b || graph.ancestors(a).has(b) || graph.ancestors(b).has(a);
        const world = { edges, fails: failed, changes: Object.entries(deploys).map(([one, s]) => deployed(one, s)) };
        for (const pivot of Object.keys(failed)) {
          const { text } = toldOf(world, [pivot]);
          for (const clause of text?.split(": something beneath")[0]?.split("; ") ?? []) {
            const [names, where] = clause.split(/ began to be degraded .*?no known call joins them/);
            if (where === undefined) continue;
            const others = (names ?? "").replaceAll(/ \([^)]*\)/g, "").split(" and ");
            const [one, other] = others;
            const pairs = where === "" ? [[one, other]] : others.map((each) => [each, where.replace(" to ", "")]);
            for (const [a = "", b = ""] of pairs) expect(joins(a, b), clause).toBe(false);
            const within = Math.max(...Object.values(failed)) - Math.min(...Object.values(failed));
            const told = /within (\d+)s/.exec(clause)?.[1] ?? "0";
            expect(Number(told) * SECOND).toBeLessThanOrEqual(within * SECOND);
            said += 1;
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(said).toBeGreaterThan(20);
  });
});
