import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { findingsOf, scoreSeries } from "../../../evals/detect/detect-series.ts";
import { readSeriesOf } from "../../../evals/detect/read-series.ts";
import { detectCommand } from "../../../evals/lab/detect-command.ts";
import { exampleConfig } from "../../../evals/replay/seed-config.ts";
import { ROOT, unship } from "../../agent/cli/run-cli.ts";
import { pastComposition } from "../lab/past-composition.ts";

const folder = mkdtempSync(join(tmpdir(), "unship-detect-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const STEP = 60;
const START = 1_767_225_600;
/** A level that hardly moves, and from the given sample on stands at twice as much; `null` where a sample is missing. */
const level = (count: number, shiftAt = count, missing: readonly number[] = []) =>
  Array.from({ length: count }, (_, i) => (missing.includes(i) ? null : (i < shiftAt ? 100 : 200) + (i % 7) - 3));
const csv = (values: readonly (number | null)[]) =>
  ["timestamp,value", ...values.map((value, i) => `${START + i * STEP},${value ?? ""}`)].join("\n");
const line = (metric: string, values: readonly (number | null)[], more: object = {}) =>
  JSON.stringify({ service: "cart", metric, unit: "ms", start: START, step: STEP, values, ...more });
const config = exampleConfig();
const at = (index: number) => (START + index * STEP) * 1000;
const read = (path: string) => {
  const [series] = readSeriesOf(path);
  return series ?? expect.fail("no series");
};

describe("reading what is to be judged", () => {
  it.each<[string, string, readonly number[], readonly (number | null)[]]>([
    ["Unix seconds", "timestamp,value\n1767225600,1\n1767225660,2", [at(0), at(1)], [1, 2]],
    ["Unix ms, without a header", `${at(0)},1\n${at(1)},2`, [at(0), at(1)], [1, 2]],
    ["times as the benchmark writes them", "timestamp,value\n2026-01-01 00:00:00,1", [at(0)], [1]],
    ["RFC 3339 with an offset", "timestamp,value\n2026-01-01T01:00:00+01:00,1", [at(0)], [1]],
    [
      "named columns in any order, quoted, with Windows line ends",
      'value,host,"timestamp"\r\n3,a,1767225600\r\n',
      [at(0)],
      [3],
    ],
    [
      "missing samples",
      "timestamp,value\n1767225600,\n1767225660,NaN\n1767225720,0",
      [at(0), at(1), at(2)],
      [null, null, 0],
    ],
    ["a file that is not in order of time", "timestamp,value\n1767225660,1\n1767225600,2", [at(0), at(1)], [2, 1]],
  ])("%s", (_, text, times, values) => {
    expect(read(file("read.csv", text))).toMatchObject({ times, values, named: null });
  });

  it("S9: finds in a file that is turned round what it finds in order, warns, and keeps the file's order of scores", async () => {
    const rows = csv(level(200, 150)).split("\n").slice(1);
    const [fine, turned] = [file("fine.csv", rows.join("\n")), file("turned.csv", rows.toReversed().join("\n"))];
    const run = async (path: string) => {
      const { composition, printed } = pastComposition(config, {} as never, 0);
      await detectCommand(composition, [path], { json: true }, new AbortController().signal);
      return { ...JSON.parse(printed.out), err: printed.err };
    };
    const [inOrder, reversed] = [await run(fine), await run(turned)];
    expect(inOrder.findings.length).toBeGreaterThan(0);
    expect(reversed.findings).toEqual(inOrder.findings);
    expect(reversed.scores).toEqual(inOrder.scores.toReversed());
    expect(inOrder.err).toBe("");
    expect(reversed.err).toBe(`${turned}:2: is earlier than the line before it; the file is read in order of time\n`);
  });

  it("says why a file cannot be read, without a line that it does not have", () => {
    expect(() => readSeriesOf(join(folder, "none.csv"))).toThrow(/none\.csv cannot be read: there is no such file\.$/);
    expect(() => readSeriesOf(folder)).toThrow(/cannot be read: it is a folder\.$/);
  });

  it("a bundle's series, gzipped or not, with service, metric and labels", () => {
    const text = line("p99_latency", [1, null], { labels: { version: "v2" } });
    const named = { service: "cart", metric: "p99_latency", labels: { version: "v2" } };
    for (const path of [file("series.jsonl", text), file("series.jsonl.gz", gzipSync(text)), file("other", text)])
      expect(read(path)).toMatchObject({
        named,
        stepMs: 60_000,
        times: [at(0), at(1)],
        values: [1, null],
        worse: "up",
      });
  });

  it.each<[string, string, string, RegExp]>([
    ["a word for a value", "a.csv", "timestamp,value\n1,2\n3,many", /a\.csv:3: "many" is no number/],
    [
      "a time that lies seventy years after the others",
      "a.csv",
      `${csv(level(40))}\n4000000000,1`,
      /a\.csv:42: 2096-10-02T07:06:40\.000Z lies too far from the other times; correct the line/,
    ],
    [
      "a time that lies decades before the others, in their midst",
      "a.csv",
      `${csv(level(20))}\n0,1\n${csv(level(20)).replace("timestamp,value\n", "")}`,
      /a\.csv:22: 1970-01-01T00:00:00\.000Z lies too far/,
    ],
    ["an infinite value", "a.csv", "timestamp,value\n1,Infinity", /a\.csv:2: "Infinity" is no number/],
    ["a word for a time", "a.csv", "timestamp,value\nnoon,2", /a\.csv:2: "noon" is no time/],
    ["a column too many", "a.csv", "timestamp,value\n1,2,3", /a\.csv:2: has 3 columns; timestamp,value has 2/],
    ["a header alone", "a.csv", "timestamp,value\n", /a\.csv:1: holds no sample/],
    ["a line that is no JSON", "a.jsonl", `${line("x", [1])}\n{`, /a\.jsonl:2: is no JSON/],
    ["a series without a step", "a.jsonl", line("x", [1], { step: undefined }), /a\.jsonl:1: step: /],
  ])("%s is refused with file and line", (_, name, text, message) => {
    expect(() => readSeriesOf(file(name, text))).toThrow(message);
  });
});

describe("what is found", () => {
  it("a shift is dated where it began, and found soon after", () => {
    const series = read(file("shift.csv", csv(level(200, 150))));
    const [found, ...more] = findingsOf(series, [series], config);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ kind: "change-point", onset: at(149) });
    expect(found?.detectedAt).toBeLessThanOrEqual(at(154));
  });

  it("nothing in a level that hardly moves", () => {
    const series = read(file("calm.csv", csv(level(300))));
    expect(findingsOf(series, [series], config)).toEqual([]);
  });

  it("errors are judged by the traffic that stands beside them", () => {
    const errors = Array.from({ length: 120 }, (_, i) => (i < 100 ? 0.001 : 0.05));
    const rate = (each: number) => line("request_rate", Array(120).fill(each), { unit: "req/s" });
    const found = (each: number) => {
      const all = readSeriesOf(
        file("errors.jsonl", [line("error_rate", errors, { unit: "ratio" }), rate(each)].join("\n")),
      );
      return all[0] === undefined ? [] : findingsOf(all[0], all, config);
    };
    const [busy, quiet] = [found(100)[0], found(0.02)[0]];
    expect(busy?.detectedAt).toBeLessThan(at(103));
    expect(quiet?.detectedAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(at(103));
  });
});

describe("how strange each sample is", () => {
  it("a score from 0 to 1 for each sample, null where one is missing, highest where it shifts", () => {
    const series = read(file("strange.csv", csv(level(400, 350, [60, 200]))));
    const scores = scoreSeries(series);
    expect(scores).toHaveLength(400);
    expect([60, 200].map((index) => scores[index])).toEqual([null, null]);
    expect(scores.every((score) => score === null || (score >= 0 && score <= 1))).toBe(true);
    expect(Math.max(...scores.slice(350, 360).map((score) => score ?? 0))).toBeGreaterThan(
      Math.max(...scores.slice(100, 350).map((score) => score ?? 0)),
    );
  });

  it("each from that sample and earlier ones alone: what comes later changes nothing", () => {
    const whole = read(file("whole.csv", csv(level(300, 200))));
    for (const count of [1, 50, 199, 205]) {
      const cut = { times: whole.times.slice(0, count), values: whole.values.slice(0, count) };
      expect(scoreSeries(cut)).toEqual(scoreSeries(whole).slice(0, count));
    }
  });
});

describe("unship detect", () => {
  async function detect(files: readonly string[], json?: boolean | string) {
    const { composition, printed } = pastComposition(config, {} as never, 0);
    await detectCommand(composition, files, json === undefined ? {} : { json }, new AbortController().signal);
    return printed;
  }

  it("prints one JSON line a series", async () => {
    const shifted = file("one.csv", csv(level(100, 80)));
    const series = file(
      "two.jsonl",
      [line("p50_latency", level(100)), line("p50_latency", [1], { labels: { version: "v" } })].join("\n"),
    );
    const { out, err } = await detect([shifted, series], true);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(err).toBe("");
    expect(lines).toMatchObject([
      { file: shifted, findings: [{ kind: "change-point", onset: new Date(at(79)).toISOString() }] },
      { file: series, service: "cart", metric: "p50_latency", findings: [] },
      { labels: { version: "v" }, scores: [0] },
    ]);
    expect(lines.map((one) => Object.keys(one))).toEqual([
      ["file", "scores", "findings"],
      ["file", "service", "metric", "scores", "findings"],
      ["file", "service", "metric", "labels", "scores", "findings"],
    ]);
    expect(Object.keys(lines[0].findings[0])).toEqual(["onset", "detected_at", "kind"]);
  });

  it("says it in words, and writes the JSON into a file beside them", async () => {
    const { out, files } = await detect([file("words.csv", csv(level(100, 80, [3])))], "out.jsonl");
    expect(out).toMatch(/words\.csv: 100 samples, 1 missing\n {2}change-point since 2026-01-01T01:19:00.000Z/);
    expect(files.get("out.jsonl")?.endsWith("\n")).toBe(true);
  });

  it("is not troubled by a reader that has seen enough", () => {
    const many = Array.from({ length: 200 }, (_, i) => line("p50_latency", level(200), { labels: { pod: `${i}` } }));
    const words = `"${process.execPath}" "${join(ROOT, "agent/main.ts")}" detect "${file("many.jsonl", many.join("\n"))}" --json | head -c 10`;
    const { stdout, stderr } = spawnSync("sh", ["-c", words], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: '{"file":"/', stderr: "" });
  });

  it("prints nothing and exits with 2 where any file is wrong", async () => {
    const { code, out, err } = await unship([
      "detect",
      file("fine.csv", csv(level(20))),
      file("bad.csv", "1,2\n3"),
      "--json",
    ]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("bad.csv:2: has 1 columns");
  });
});
