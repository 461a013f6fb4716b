import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { overloadedBy } from "../../../core/correlation/overload.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { starvedCallees } from "../../../core/correlation/starved.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const series = (service: string, metric: string, before: number, since: number) => ({
  service,
  metric,
  unit: "",
  worse: "either" as const,
  labels: {},
  startAt: T0 - 159 * STEP,
  stepMs: STEP,
  values: Array.from({ length: 180 }, (_, i) => (i < 160 ? before : since) * (1 + 0.01 * Math.sin(i))),
});
/** web asks shop and feed, shop asks store and mail: requests a second before and since, and the share that fails since. */
type Traffic = Readonly<Record<string, readonly [number, number, number?]>>;
const graph = createCallGraph({
  edges: [
    ["web", "shop"],
    ["web", "feed"],
    ["shop", "store"],
    ["shop", "mail"],
  ],
  external: [],
});
const usual: Traffic = { web: [100, 100], feed: [100, 100], shop: [100, 100], store: [100, 100], mail: [100, 100] };
const read = (traffic: Traffic) => {
  const all = Object.entries({ ...usual, ...traffic }).flatMap(([service, [before, since, fails]]) => [
    series(service, "request_rate", before, since),
    ...(fails === undefined ? [] : [series(service, "error_rate", 0, fails)]),
  ]);
  return indexSeries(all, "version");
};
const flooded = (traffic: Traffic) =>
  [...overloadedBy(read(traffic), graph, onsetAt(T0), T0 + 5 * MINUTE)].map(
    ([callee, by]) => `${callee} by ${[...by].join()}`,
  );
const starved = (traffic: Traffic) => [...starvedCallees(read(traffic), graph, onsetAt(T0), T0 + 5 * MINUTE)];

describe("a callee that is asked more often than its callers' traffic explains", () => {
  const rows: readonly (readonly [string, Traffic, readonly string[]])[] = [
    ["is flooded by its caller", { store: [100, 260] }, ["store by shop"]],
    [
      "is flooded by who floods the one that asks it",
      { shop: [100, 300], store: [100, 290], mail: [100, 100] },
      ["shop by web", "store by web"],
    ],
    ["is flooded also where it turns away what it cannot take in", { store: [100, 260, 0.45] }, ["store by shop"]],
    [
      "is not flooded where it answers fewer than before: it is asked again because it fails",
      { store: [100, 260, 0.7] },
      [],
    ],
    [
      "is not flooded where it answers as many as before: whoever it fails tries three times and more",
      { store: [100, 212, 0.52] },
      [],
    ],
    [
      "is not flooded where its callers are asked a little more, and try again",
      { web: [100, 120], shop: [100, 120], store: [100, 250, 0.5] },
      [],
    ],
    [
      "is not flooded where all of its callers are asked more",
      { store: [100, 260], shop: [100, 260], web: [100, 260] },
      [],
    ],
    ["is not flooded by a tenth more", { store: [100, 110] }, []],
  ];
  it.each(rows)("%s", (_, traffic, found) => {
    expect(flooded(traffic)).toEqual(found);
  });
});

/** A draw from about a normal distribution, the same for the same number. */
const normal = (n: number): number => {
  const parts = [12.9898, 78.233, 39.425, 93.989].map((k) => Math.sin(n * k) * 43_758.5453);
  return parts.reduce((sum, part) => sum + (part - Math.floor(part) - 0.5), 0) * Math.sqrt(3);
};

describe("a callee that fails, of whose callers each tries again until it is answered or gives up", () => {
  it("is flooded by none of them at any look, however many requests there are and however they scatter", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 2, max: 200, noNaN: true }),
        fc.integer({ min: 1, max: 9999 }),
        (fails, tries, rate, seed) => {
          const more = (1 - fails ** tries) / (1 - fails);
          // A count scatters by its root.
          const counted = (mean: number, i: number) => mean + normal(seed * 1000 + i) * Math.sqrt(mean / (STEP / 1000));
          const asked = series("store", "request_rate", rate, rate * more);
          const store = { ...asked, values: asked.values.map(counted).map((value) => Math.max(0, value)) };
          const others = ["web", "shop", "feed", "mail"].map((name) => series(name, "request_rate", rate, rate));
          const index = indexSeries([...others, store, series("store", "error_rate", 0, fails)], "version");
          for (let look = 1; look <= 20; look++)
            expect([...overloadedBy(index, graph, onsetAt(T0), T0 + look * STEP)]).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a flood that ends in a storm of retries", () => {
  it("is laid at whoever asked more when it began, not at those who ask again since", () => {
    const grows = (service: string, values: readonly number[]) => {
      const one = series(service, "request_rate", 100, 100);
      return {
        ...one,
        values: one.values.map((value, i) => (i < 160 ? value : (values[i - 160] ?? values.at(-1) ?? 0))),
      };
    };
    const index = indexSeries(
      [
        grows("web", [100, 100, 100, 150, 400]),
        grows("shop", [100, 100, 100, 200, 600]),
        grows("store", [190, 200, 300, 900, 1900]),
        series("feed", "request_rate", 100, 100),
        series("mail", "request_rate", 100, 100),
      ],
      "version",
    );
    const found = overloadedBy(index, graph, onsetAt(T0), T0 + 5 * MINUTE);
    expect([...found].map(([callee, by]) => `${callee} by ${[...by].join()}`)).toEqual(["store by shop"]);
  });

  it("is laid at nobody where it began long after the trouble, at whoever asked more where it came within minutes", () => {
    const late = (minutes: number) => {
      const from = 160 + (minutes * MINUTE) / STEP;
      const rates = (service: string, since: number) => ({
        ...series(service, "request_rate", 100, 100),
        values: Array.from({ length: 220 }, (_, i) => (i < from ? 100 : since) * (1 + 0.01 * Math.sin(i))),
      });
      const all = [rates("web", 100), rates("shop", 100), rates("feed", 100), rates("mail", 100), rates("store", 260)];
      const found = overloadedBy(indexSeries(all, "version"), graph, onsetAt(T0), T0 + 12 * MINUTE);
      return [...found].map(([callee, by]) => `${callee} by ${[...by].join()}`);
    };
    expect(late(8)).toEqual([]);
    expect(late(3)).toEqual(["store by shop"]);
  });
});

describe("a callee that is asked less often although its callers are not", () => {
  const rows: readonly (readonly [string, Traffic, readonly string[]])[] = [
    ["is starved", { store: [100, 40] }, ["store"]],
    ["is not, where its caller asks all others less as well", { store: [100, 40], mail: [100, 40] }, []],
    ["is not, where its caller is asked less", { store: [100, 40], shop: [100, 40] }, []],
    ["is not, by a tenth less", { store: [100, 90] }, []],
  ];
  it.each(rows)("%s", (_, traffic, found) => {
    expect(starved(traffic).filter((one) => one === "store")).toEqual(found);
  });
});
