import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { findBundles, readBundle } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";
import { writeSmallBundle } from "./small-bundle.ts";

const DATA = join(import.meta.dirname, "../../../evals/data/incidents");
const abort = new AbortController().signal;

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

describe("readBundle", () => {
  it.each(findBundles([DATA]))("reads %s", (directory) => {
    const bundle = readBundle(directory);
    expect(bundle.series.length).toBeGreaterThan(10);
    expect(bundle.topology).not.toBeNull();
  });

  it.each([
    ["a missing incident.json is named", {}, /incident\.json:1: is missing/],
    [
      "broken JSON names file and line",
      { "incident.json": INCIDENT, "logs.jsonl": '\n{"at":' },
      /logs\.jsonl:2: is no JSON/,
    ],
    [
      "a missing field names file, line and field",
      { "incident.json": INCIDENT, "changes.jsonl": '{"id":"a","kind":"deploy","servise":"cart"}' },
      /changes\.jsonl:1: service: is missing or null, and the format needs it/,
    ],
    [
      "a list where a line should hold one object says what to do",
      { "incident.json": INCIDENT, "changes.jsonl": "[]" },
      /changes\.jsonl:1: is a list; write one JSON object a line/,
    ],
    [
      "a slip in a file of many lines is told by its line and its sign",
      { "incident.json": '{\n "schema": 1,\n "id": x\n}' },
      /incident\.json:3: is no JSON: unexpected x/,
    ],
    [
      "a comma too many is told by line and column",
      { "incident.json": '{\n "schema": 1,\n}' },
      /incident\.json:3: is no JSON: expected double-quoted property name at column 1/,
    ],
    [
      "a file that is cut off says so",
      { "incident.json": INCIDENT.slice(0, 40) },
      /incident\.json:1: is no JSON: .*cut off/,
    ],
    [
      "a field that does not fit is told by the line that it stands on",
      { "incident.json": JSON.stringify({ ...JSON.parse(INCIDENT), title: 7 }, null, 2) },
      /incident\.json:4: title: .*expected string, received number; docs\/incident-bundle\.md/,
    ],
    [
      "a word outside its list is answered with the list",
      { "incident.json": INCIDENT.replace("high", "huge") },
      /services\.0\.criticality: must be one of low, medium, high, critical/,
    ],
    [
      "another schema is refused",
      { "incident.json": INCIDENT.replace('"schema":1', '"schema":2') },
      /schema: must be 1/,
    ],
    [
      "a time that is none is named",
      { "incident.json": INCIDENT.replace("2026-01-01T01:00:00Z", "tomorrow") },
      /incident\.json:1: watch\.end: is no RFC 3339 time/,
    ],
    [
      "a .gz that is none is named",
      { "incident.json": INCIDENT, "series.jsonl.gz": "plain" },
      /series\.jsonl\.gz:1: is no gzip/,
    ],
    [
      "an end before the start is refused",
      { "incident.json": INCIDENT.replace("T01:00", "T00:00").replace("T00:00:00Z", "T02:00:00Z") },
      /watch\.end is before/,
    ],
  ] as const)("%s", (_, files, message) => {
    expect(() => readBundle(folder(files))).toThrow(message);
  });

  it.each([
    ["cut off in the middle", (whole: Buffer) => whole.subarray(0, whole.length / 2), /cut off before its end; copy/],
    ["cut off after its first bytes", (whole: Buffer) => whole.subarray(0, 4), /cut off before its end/],
    ["cut off within its checksum", (whole: Buffer) => whole.subarray(0, -3), /cut off before its end/],
    ["damaged", (whole: Buffer) => Buffer.concat([whole.subarray(0, 12), Buffer.alloc(20, 7)]), /is damaged; copy/],
    ["empty", () => Buffer.alloc(0), /is no gzip file/],
  ])("a gzipped log that is %s is refused by its name, and read in no part", (_name, harm, reason) => {
    const line = (i: number) => `{"at":"2026-01-01T00:00:01Z","service":"cart","level":"info","message":"${i}"}\n`;
    const whole = gzipSync(Array.from({ length: 50 }, (_, i) => line(i)).join(""));
    const files = { "incident.json": INCIDENT, "logs.jsonl.gz": harm(whole) };
    const read = () => readBundle(folder(files));
    expect(read).toThrow(expect.objectContaining({ code: "bundle.invalid" }));
    expect(read).toThrow(/logs\.jsonl\.gz:1: /);
    expect(read).toThrow(reason);
  });

  it("a gzipped file reads as the plain one does", () => {
    const line = '{"at":"2026-01-01T00:00:01Z","service":"cart","level":"info","message":"hi"}';
    const plain = readBundle(folder({ "incident.json": INCIDENT, "logs.jsonl": line })).logs;
    expect(readBundle(folder({ "incident.json": INCIDENT, "logs.jsonl.gz": gzipSync(line) })).logs).toEqual(plain);
    expect(plain).toHaveLength(1);
  });

  it("a folder without bundles is refused", () => {
    const empty = folder({});
    mkdirSync(join(empty, "sub"));
    expect(() => findBundles([empty])).toThrow(/holds no bundle/);
  });
});

describe("bundleSources", () => {
  const bundle = readBundle(join(DATA, "case-2db49202"));
  const { start, end } = bundle.incident.watch;

  it("shows nothing that is later than now", async () => {
    const now = start + 10 * 60_000;
    const sources = bundleSources(bundle, { now: () => now }, new Map());
    const window = { from: 0, to: end };
    for (const metric of sources.metrics[0]?.metrics() ?? []) {
      const query = { metric, window, stepMs: 15_000, purpose: "statistics" } as const;
      for (const series of (await sources.metrics[0]?.range(query, abort)) ?? []) {
        expect(series.startAt + (series.values.length - 1) * series.stepMs).toBeLessThanOrEqual(now);
      }
    }
    const changes = (await sources.changes[0]?.changes(window, abort)) ?? [];
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.every(({ startedAt, finishedAt }) => startedAt <= now && (finishedAt ?? 0) <= now)).toBe(true);
    const { lines } = (await sources.logs[0]?.search({ window, limit: 100_000 }, abort)) ?? { lines: [] };
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every(({ at }) => at <= now)).toBe(true);
  });

  it("a flag is on after its change and off once it was rolled back", async () => {
    const flag = bundle.changes.find(({ kind }) => kind === "flag");
    const states = async (taken: ReadonlyMap<string, number>) =>
      bundleSources(bundle, { now: () => end }, taken).flags[0]?.flags(abort);
    expect(await states(new Map())).toMatchObject([{ key: flag?.flag, enabled: true }]);
    expect(await states(new Map([[flag?.id ?? "", end]]))).toMatchObject([{ key: flag?.flag, enabled: false }]);
  });
});

describe("what no recording holds", () => {
  const line = (change: object) =>
    JSON.stringify({
      service: "cart",
      metric: "error_rate",
      unit: "ratio",
      start: 1,
      step: 15,
      values: [0.1],
      ...change,
    });
  it.each([
    ["a step of a nanosecond", { step: 1e-9 }, /series\.jsonl:1: step: must be at least 0\.1 s/],
    ["a step of thirty years", { step: 1e9 }, /series\.jsonl:1: step: must be at most a week, in seconds/],
    ["a start in ms", { start: 1_767_225_600_000 }, /series\.jsonl:1: start: must be Unix seconds; .*or in ms/],
    ["a start beyond all time", { start: 1e300 }, /series\.jsonl:1: start: must be Unix seconds/],
    ["a start in words", { start: "2026-01-01T00:00:00Z" }, /series\.jsonl:1: start: must be Unix seconds, a number/],
    ["a value beyond all signals", { values: [1e308] }, /series\.jsonl:1: values\.0/],
  ] as const)("%s is refused with its line", (_, change, message) => {
    expect(() => readBundle(folder({ "incident.json": INCIDENT, "series.jsonl": line(change) }))).toThrow(message);
  });
});

describe("gaps of a recording", () => {
  const read = (...gaps: readonly object[]) => {
    const bundle = writeSmallBundle(mkdtempSync(join(tmpdir(), "unship-bundle-")), { id: "gaps" });
    writeFileSync(join(bundle, "gaps.jsonl"), gaps.map((gap) => JSON.stringify(gap)).join("\n"));
    return readBundle(bundle).gaps;
  };
  it.each([
    ["changes", { of: "changes" }],
    ["metrics: error_rate", { of: "metrics", metric: "error_rate" }],
    ["history: error_rate", { of: "history", metric: "error_rate" }],
    ["spans", { of: "traces" }],
    ["logs", { of: "logs" }],
    ["targets of cart", { of: "targets" }],
  ])("of before they had a kind are read by their words: %s", (what, typed) => {
    const old = { source: "it", what, because: "it was away" };
    expect(read(old)).toEqual([{ ...typed, how: "unanswered", ...old }]);
  });

  it("are read as they were written, whatever their words", () => {
    const gap = {
      ...{ of: "changes", how: "partial", source: "it", what: "metrics: error_rate", because: "it may not" },
      ...{ services: ["cart"], since: 1_772_452_800_000 },
    };
    expect(read(gap)).toEqual([gap]);
  });
});
