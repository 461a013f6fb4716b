import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, readBundle, readTruth } from "../../../evals/replay/bundle.ts";
import { openBundle } from "../../../evals/replay/open-bundle.ts";
import { families, generateBundle } from "../../../evals/scenarios/generate.ts";
import type { BundleFiles } from "../../../evals/scenarios/observe/bundle.ts";
import { writeBundle } from "../../../evals/scenarios/write.ts";

const UNNAMED = families("held-out-b");
const ALL = [...families("shown"), ...families("held-out"), ...UNNAMED, ...families("fleet")];
/** The second set is numbered in what a run prints: who works on the detectors runs these tests too. */
const TITLED = ALL.map((family): readonly [string, string] => [
  UNNAMED.includes(family) ? `held-out-b ${UNNAMED.indexOf(family) + 1}` : family,
  family,
]);

/** One bundle of each family, written once, by the first test that wants it, and read by the project's own reader. */
const made = new Map<string, { readonly files: BundleFiles; readonly bundle: Bundle }>();
let root = "";
const directoryOf = (family: string) => {
  of(family);
  return join(root, family);
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unship-scenarios-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function of(family: string) {
  const known = made.get(family);
  if (known !== undefined) return known;
  const files = generateBundle(family, 100 + ALL.indexOf(family));
  writeBundle(join(root, family), files);
  const one = { files, bundle: readBundle(join(root, family)) };
  made.set(family, one);
  return one;
}
const bundleOf = (family: string): Bundle => of(family).bundle;
const truthOf = (family: string) => {
  const truth = readTruth(directoryOf(family));
  if (truth === null) throw new Error(`no truth of ${family}`);
  return truth;
};

describe("a generated bundle", () => {
  it.each(["bad-flag", "scrape-gap", "canary-bad"])("%s opens as a recorded incident does", async (family) => {
    const { sources, clock } = await openBundle(directoryOf(family), undefined);
    expect(sources.metrics[0]?.metrics()).toContain("error_rate");
    expect(clock.now()).toBe(bundleOf(family).incident.watch.end);
  });

  it.each(TITLED)("%s has samples that a monitoring can have", (_, family) => {
    const { series, incident } = bundleOf(family);
    const services = new Set(incident.services.map(({ name }) => name));
    const impossible = series.flatMap(({ service, metric, values, startAt, stepMs }) => {
      const ratio = /error_rate|_usage|_ratio/.test(metric);
      const bad = values.find(
        (value) => value !== null && (value < 0 || !Number.isFinite(value) || (ratio && value > 1)),
      );
      const late = startAt + (values.length - 1) * stepMs > incident.watch.end;
      return bad === undefined && !late && services.has(service) ? [] : [{ service, metric, bad, late }];
    });
    expect(impossible).toEqual([]);
  });

  it.each(TITLED)("%s keeps p50 at or below p99", (_, family) => {
    const { series } = bundleOf(family);
    const key = (line: (typeof series)[number]) =>
      JSON.stringify([line.service, line.labels, line.stepMs, line.startAt]);
    const typical = new Map(series.filter(({ metric }) => metric === "p50_latency").map((line) => [key(line), line]));
    const crossed = series
      .filter(({ metric }) => metric === "p99_latency")
      .filter((line) =>
        line.values.some((worst, index) => (typical.get(key(line))?.values[index] ?? 0) > (worst ?? 1e9) * 1.0001),
      );
    expect(crossed).toEqual([]);
  });

  it.each(TITLED)("%s tells neither its family nor its truth to the agent", (_, family) => {
    const { "truth.json": _truth, ...seen } = of(family).files;
    expect(Object.values(seen).join("")).not.toContain(family);
    expect(bundleOf(family).incident.id).toMatch(/^case-[0-9a-f]{8}$/);
  });

  it.each(TITLED)("%s has versions of a service that follow one another", (_, family) => {
    const { changes } = bundleOf(family);
    const deploys = Map.groupBy(
      changes.filter(({ kind }) => kind === "deploy"),
      ({ service }) => service,
    );
    for (const own of deploys.values())
      for (const [index, deploy] of own.entries()) if (index > 0) expect(deploy.from).toBe(own[index - 1]?.to);
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length);
  });

  it("is the same, byte for byte, for the same seed, and another for another", () => {
    const again = generateBundle("gradual-rollout", 5);
    expect(again).toEqual(generateBundle("gradual-rollout", 5));
    expect(again).not.toEqual(generateBundle("gradual-rollout", 6));
  });

  it("refuses a family that does not exist, naming those that do", () => {
    expect(() => generateBundle("no-such-story", 1)).toThrow(/there is no family no-such-story; there are bad-/);
  });
});

describe("the families together", () => {
  it("produce every file and field of the bundle format", () => {
    const all = ALL.map(bundleOf);
    expect(new Set(ALL.flatMap((family) => Object.keys(of(family).files)))).toEqual(
      new Set([
        "incident.json",
        "series.jsonl",
        "changes.jsonl",
        "topology.json",
        "logs.jsonl",
        "spans.jsonl",
        "alerts.jsonl",
        "truth.json",
      ]),
    );
    const changes = all.flatMap((bundle) => bundle.changes);
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(["deploy", "flag", "config", "migration"]));
    for (const field of [
      "author",
      "commit",
      "message",
      "diff",
      "flag",
      "environment",
      "canary",
      "requires",
      "provides",
    ] as const)
      expect(
        changes.some((change) => change[field] !== undefined),
        field,
      ).toBe(true);
    expect(changes.some(({ reversible }) => !reversible)).toBe(true);
    expect(changes.some(({ finishedAt }) => finishedAt === null)).toBe(true);
    const series = all.flatMap((bundle) => bundle.series);
    expect(series.some(({ labels }) => "version" in labels)).toBe(true);
    expect(series.some(({ labels }) => "pod" in labels)).toBe(true);
    expect(new Set(series.map(({ stepMs }) => stepMs))).toEqual(new Set([15_000, 300_000]));
    expect(series.some(({ values }) => values.includes(null))).toBe(true);
    for (const metric of ["queue_depth", "cache_hit_ratio", "orders_per_minute", "open_connections"])
      expect(
        series.some((line) => line.metric === metric),
        metric,
      ).toBe(true);
    const spans = all.flatMap((bundle) => bundle.spans);
    expect(spans.some(({ error, parentId, version }) => error && parentId !== undefined && version !== undefined)).toBe(
      true,
    );
    expect(all.some(({ incident }) => incident.human !== undefined)).toBe(true);
    expect(
      all.some(({ incident }) => incident.services.some((service) => service.revenue_per_minute !== undefined)),
    ).toBe(true);
    expect(all.some(({ topology }) => (topology?.external.length ?? 0) > 0)).toBe(true);
    expect(new Set(all.flatMap(({ alerts }) => alerts.map(({ status }) => status)))).toEqual(
      new Set(["firing", "resolved"]),
    );
    expect(new Set(all.flatMap(({ logs }) => logs.map(({ level }) => level)))).toEqual(
      new Set(["debug", "info", "warn", "error"]),
    );
    expect(new Set(ALL.map((family) => truthOf(family).action))).toEqual(
      new Set(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]),
    );
  });
});
