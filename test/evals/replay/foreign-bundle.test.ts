import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { findBundles, readBundle, readTruth } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";

const never = new AbortController().signal;

function folder(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = mkdtempSync(join(tmpdir(), "unship-bundle-"));
  for (const [name, body] of Object.entries(files)) writeFileSync(join(directory, name), body);
  return directory;
}

const INCIDENT = JSON.stringify({
  schema: 1,
  id: "x",
  title: "x",
  watch: { start: "2026-01-01T00:00:00Z", end: "2026-01-01T01:00:00Z" },
  services: [{ name: "cart", namespace: "production", criticality: "high" }],
});

const CHANGE = {
  id: "d1",
  kind: "deploy",
  service: "cart",
  from: "v1",
  to: "v2",
  started_at: "2026-01-01T00:10:00Z",
  finished_at: "2026-01-01T00:11:00Z",
  source: "hand",
  reversible: true,
};
const SERIES = { service: "cart", metric: "error_rate", unit: "ratio", start: 1_767_225_600, step: 15, values: [0.1] };

/** What is read of a bundle with these files beside a good incident.json, and what is said of it. */
function reading(files: Readonly<Record<string, string | Buffer>>) {
  const warnings: string[] = [];
  const directory = folder({ "incident.json": INCIDENT, ...files });
  const bundle = readBundle(directory, (warning) => warnings.push(warning.replace(`${directory}/`, "")));
  return { bundle, warnings };
}

describe("what others write into a bundle", () => {
  const lines = (...all: object[]) => all.map((one) => JSON.stringify(one)).join("\n");
  const plain = reading({ "changes.jsonl": lines(CHANGE), "series.jsonl": lines(SERIES) });

  it("a change of infrastructure is of no service: it stands apart from those of services, and is told as it was known", async () => {
    const { bundle, warnings } = reading({
      "changes.jsonl": lines(CHANGE, {
        ...{ ...CHANGE, id: "n1", kind: "Infrastructure", service: "node worker-3", from: null, to: "drained" },
        reversible: false,
      }),
    });
    expect(warnings).toEqual([]);
    expect(bundle.changes.map(({ id }) => id)).toEqual(["d1"]);
    const drained = { id: "n1", kind: "infrastructure", place: "node worker-3", from: "", to: "drained" };
    expect(bundle.infrastructure).toMatchObject([drained]);
    const now = Date.parse("2026-01-01T00:10:30Z");
    const { infrastructure = [] } = bundleSources(bundle, { now: () => now }, new Map());
    const window = { from: 0, to: now };
    expect(await infrastructure[0]?.infrastructure(window, never)).toMatchObject([{ ...drained, finishedAt: null }]);
    expect(await infrastructure[0]?.infrastructure({ from: 0, to: now - 60_000 }, never)).toEqual([]);
  });

  it("what brought a change is read with it", () => {
    const by = { kind: "Application", namespace: "argocd", name: "root" };
    const { bundle } = reading({ "changes.jsonl": lines({ ...CHANGE, released_by: [by] }) });
    expect(bundle.changes).toMatchObject([{ id: "d1", releasedBy: [by] }]);
  });

  it("keys that the format does not know are left out, and named once a file with the first line", () => {
    const { bundle, warnings } = reading({
      "changes.jsonl": lines({ ...CHANGE, ticket: "OPS-1" }, { ...CHANGE, id: "d2", ticket: "OPS-2", diff: null }),
      "series.jsonl": lines(SERIES, { ...SERIES, metric: "cpu_usage", extra: { a: 1 } }),
      "incident.json": JSON.stringify({
        ...JSON.parse(INCIDENT),
        region: "eu",
        human: { action: "rollback", who: "a" },
      }),
    });
    expect(bundle.changes).toEqual([...plain.bundle.changes, { ...plain.bundle.changes[0], id: "d2" }]);
    expect(bundle.incident.human).toEqual({ action: "rollback" });
    expect(warnings).toEqual([
      'incident.json:1: key "human.who" is ignored; key "region" is ignored',
      'series.jsonl:2: key "extra" is ignored',
      'changes.jsonl:1: key "ticket" is ignored, 2 times',
    ]);
  });

  it("a key that is spelled another way is ignored too, and the warning says which may be meant", () => {
    const { finished_at: finishedAt, ...rest } = CHANGE;
    const { bundle, warnings } = reading({ "changes.jsonl": lines({ ...rest, finishedAt }) });
    expect(bundle.changes[0]?.finishedAt).toBeNull();
    expect(warnings).toEqual(['changes.jsonl:1: key "finishedAt" is ignored (is finished_at meant?)']);
  });

  it("a key's own text cannot steer the terminal or fill it", () => {
    const { warnings } = reading({ "changes.jsonl": lines({ ...CHANGE, [`\u001b[2J${"x".repeat(200)}`]: 1 }) });
    expect(warnings).toEqual([`changes.jsonl:1: key "${` [2J${"x".repeat(200)}`.slice(0, 40)}" is ignored`]);
  });

  it.each<[string, object]>([
    [
      "null in each optional field is as if it were absent",
      {
        author: null,
        commit: null,
        diff: null,
        flag: null,
        canary: null,
        provides: null,
        requires: null,
        own_rollback: null,
      },
    ],
    ["a kind in capitals is the same kind", { kind: "Deploy" }],
    ["a time in another zone is the same time", { started_at: "2026-01-01T01:10:00+01:00" }],
    ["a blank and small letters in a time are the same time", { finished_at: "2026-01-01 00:11:00z" }],
  ])("%s", (_, fields) => {
    const { bundle, warnings } = reading({ "changes.jsonl": lines({ ...CHANGE, ...fields }) });
    expect(bundle.changes).toEqual(plain.bundle.changes);
    expect(warnings).toEqual([]);
  });

  it.each<[string, object, object]>([
    ["an end that is missing is an end that is not known", { finished_at: undefined }, { finishedAt: null }],
    ["an end that is null is an end that is not known", { finished_at: null }, { finishedAt: null }],
    ["the first version of a service has none before it", { from: null }, { from: "" }],
    ["a setting is a number", { kind: "config", from: 10, to: 2.5 }, { kind: "config", from: "10", to: "2.5" }],
    ["a flag is on or off", { kind: "flag", from: false, to: true }, { kind: "flag", from: "off", to: "on" }],
  ])("%s", (_, fields, read) => {
    expect(reading({ "changes.jsonl": lines({ ...CHANGE, ...fields }) }).bundle.changes).toMatchObject([read]);
  });

  it.each<[string, object, RegExp]>([
    ["Unix seconds", { started_at: 1_767_225_600 }, /started_at: is no RFC 3339 time/],
    ["a time without a zone", { started_at: "2026-01-01T00:10:00" }, /started_at: is no RFC 3339 time with its zone/],
    ["a day that no calendar has", { started_at: "2026-02-30T00:10:00Z" }, /started_at: is no RFC 3339 time/],
    ["a kind of its own", { kind: "hotpatch" }, /kind: must be one of deploy, flag, config, migration/],
    ["a change without the service that it is of", { service: null }, /service: is missing or null/],
    ["a change of which nobody knows whether it can be undone", { reversible: undefined }, /reversible: is missing/],
    ["a share of traffic in percent", { canary: 10 }, /canary: /],
    ["an id that names another change too", { id: "d1", service: "web" }, /the id "d1" is on line 1 too/],
  ])("%s is refused with its line", (_, fields, message) => {
    const read = () => reading({ "changes.jsonl": lines(CHANGE, { ...CHANGE, id: "d2", ...fields }) });
    expect(read).toThrow(/changes\.jsonl:2: /);
    expect(read).toThrow(message);
  });

  it.each<[string, string | Buffer]>([
    ["a byte order mark", `\uFEFF${lines(SERIES)}`],
    ["lines that end as in Windows", `${lines(SERIES)}\r\n\r\n`],
    ["blank lines", `\n\n${lines(SERIES)}\n  \n`],
    ["labels that name nothing", lines({ ...SERIES, labels: {} })],
    ["a label of null", lines({ ...SERIES, labels: { version: null } })],
    ["null for what may be absent", lines({ ...SERIES, labels: null, worse: null })],
    ["the direction in capitals", lines({ ...SERIES, worse: "UP" })],
  ])("series with %s are the same series", (_, text) => {
    expect(reading({ "series.jsonl": text })).toEqual({
      bundle: { ...plain.bundle, directory: expect.any(String), changes: [] },
      warnings: [],
    });
  });

  it("labels may be more, and of other types; a series may hold no sample, and another step", () => {
    const { bundle } = reading({
      "series.jsonl": lines({ ...SERIES, labels: { shard: 3, canary: true } }, { ...SERIES, step: 7.5, values: [] }),
    });
    expect(bundle.series).toMatchObject([{ labels: { shard: "3", canary: "true" } }, { stepMs: 7500, values: [] }]);
  });

  it("NaN, which is no JSON, is a missing sample as other languages write it, and is told", () => {
    const { bundle, warnings } = reading({ "series.jsonl": lines(SERIES).replace("[0.1]", "[NaN, 0.1,NaN]") });
    expect(bundle.series).toMatchObject([{ values: [null, 0.1, null] }]);
    expect(warnings).toEqual(["series.jsonl:1: NaN is taken for null, a missing sample"]);
    expect(() => reading({ "series.jsonl": lines(SERIES).replace("0.1", "Infinity") })).toThrow(
      /series\.jsonl:1: is no JSON/,
    );
  });

  it("files that are empty hold nothing of their kind, as if they were missing", () => {
    const empty = { "series.jsonl": "", "changes.jsonl": "\n", "topology.json": "", "logs.jsonl.gz": gzipSync("") };
    expect(reading(empty)).toMatchObject({
      bundle: { series: [], changes: [], topology: null, logs: [] },
      warnings: [],
    });
    expect(() => reading({ "incident.json": " " })).toThrow(/incident\.json:1: is missing or empty/);
  });

  it("a line that stands twice as it is counts once, and is told", () => {
    const { bundle, warnings } = reading({
      "changes.jsonl": lines(CHANGE, CHANGE),
      "series.jsonl": lines(SERIES, { ...SERIES, labels: {} }),
    });
    expect(bundle).toEqual({ ...plain.bundle, directory: bundle.directory });
    expect(warnings).toEqual([
      'series.jsonl:2: "error_rate" of "cart" is the same as on line 1, and counts once',
      'changes.jsonl:2: the change "d1" is the same as on line 1, and counts once',
    ]);
  });

  it("a line that says more of a change adds to what is known of it", () => {
    const begun = { ...CHANGE, finished_at: null };
    const { bundle, warnings } = reading({
      "changes.jsonl": lines(begun, { ...CHANGE, author: undefined }),
    });
    expect(bundle.changes).toEqual(plain.bundle.changes);
    expect(warnings).toEqual(['changes.jsonl:2: the change "d1" adds to what is on line 1, and counts once']);
  });

  it("an end before its start is not known", () => {
    const { bundle, warnings } = reading({
      "changes.jsonl": lines({ ...CHANGE, finished_at: "2026-01-01T00:09:59Z" }),
    });
    expect(bundle.changes).toMatchObject([{ finishedAt: null }]);
    expect(warnings).toEqual([
      'changes.jsonl:1: "d1" has a finished_at before its started_at, and counts as not known to have ended',
    ]);
  });

  it("no sample counts twice: the earlier line stands, and a later one fills what it lacks", () => {
    const { start, step } = SERIES;
    const read = (fields: object) => reading({ "series.jsonl": lines(SERIES, { ...SERIES, ...fields }) });
    const told = 'series.jsonl:2: "error_rate" of "cart" is on line 1 too; its samples count where that line has none';
    const same = read({ values: [0.2] });
    expect(same.bundle.series.map(({ values }) => values)).toEqual([[0.1], [null]]);
    expect(same.warnings).toEqual([told]);
    const around = read({ start: start - step, values: [0.3, 0.2, 0.4] });
    expect(around.bundle.series.map(({ values }) => values)).toEqual([[0.1], [0.3, null, 0.4]]);
    for (const apart of [{ labels: { version: "v2" } }, { step: 60 }, { start: start + step }, { service: "web" }]) {
      const both = read({ values: [0.2], ...apart });
      expect(both.bundle.series.map(({ values }) => values)).toEqual([[0.1], [0.2]]);
      expect(both.warnings).toEqual([]);
    }
  });

  it("a truth that names what the bundle does not have is refused", () => {
    const truth = { faulty: true, action: "rollback", acceptable: ["rollback"], culprit: "d1", targets: ["d1"] };
    const reads = (told: object) => () =>
      readTruth(folder({ "changes.jsonl": lines(CHANGE), "truth.json": JSON.stringify({ ...truth, ...told }) }));
    expect(reads({})()).toMatchObject(truth);
    expect(reads({ culprit: "d9" })).toThrow(/truth\.json:1: names "d9", which is no id in changes\.jsonl/);
    expect(reads({ targets: ["d1", "d8"] })).toThrow(/names "d8"/);
  });

  it("a graph may name its external nodes alone", () => {
    const { bundle } = reading({ "topology.json": '{"external":["bank"]}' });
    expect(bundle.topology).toEqual({ edges: [], external: ["bank"] });
  });

  it("where a file and its gzipped twin both stand, the plain one is read and the other named", () => {
    const { bundle, warnings } = reading({
      "series.jsonl": lines(SERIES),
      "series.jsonl.gz": gzipSync(lines(SERIES, SERIES)),
    });
    expect(bundle.series).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringMatching(/^series\.jsonl\.gz: is not read, since series\.jsonl is beside it/),
    ]);
  });

  it("logs know the levels of others, and alerts that have not ended", () => {
    const { bundle } = reading({
      "logs.jsonl": lines(
        ...["WARNING", "Err", "critical", "notice"].map((level) => ({
          at: CHANGE.started_at,
          service: "cart",
          level,
          message: "m",
        })),
      ),
      "alerts.jsonl": lines({
        fingerprint: "f",
        status: "firing",
        labels: { severity: "page" },
        startsAt: CHANGE.started_at,
        endsAt: "0001-01-01T00:00:00Z",
        generatorURL: "http://x",
      }),
    });
    expect(bundle.logs.map(({ level }) => level)).toEqual(["warn", "error", "fatal", "info"]);
    expect(bundle.alerts).toEqual([
      {
        fingerprint: "f",
        status: "firing",
        labels: { severity: "page" },
        annotations: {},
        startsAt: Date.parse(CHANGE.started_at),
      },
    ]);
  });

  it("a truth may leave out what is null where nothing is wrong", () => {
    const truth = { faulty: false, action: "no_action", acceptable: ["no_action"], targets: [] };
    expect(readTruth(folder({ "truth.json": JSON.stringify(truth) }))).toMatchObject({ culprit: null, onset: null });
  });

  it("a folder that is meant as a bundle and lacks its incident.json is found, so that it is reported", () => {
    const parent = folder({});
    mkdirSync(join(parent, "a"));
    writeFileSync(join(parent, "a/changes.jsonl"), "");
    expect(findBundles([parent])).toEqual([join(parent, "a")]);
  });
});
