import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSeriesFile } from "../../../agent/cli/series-files.ts";
import type { Series } from "../../../core/model/signal.ts";
import { sideBySide, type Version } from "../../core/canary/versions.ts";
import { openDesk, unship } from "./run-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unship-canary-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const jsonl = (all: readonly Series[]): string =>
  all
    .map(({ startAt, stepMs, ...rest }) => JSON.stringify({ ...rest, start: startAt / 1000, step: stepMs / 1000 }))
    .join("\n");
const csv = ({ startAt, stepMs, values }: Series): string =>
  ["timestamp,value", ...values.map((value, i) => `${(startAt + i * stepMs) / 1000},${value ?? ""}`)].join("\n");
const pair = (name: string, version: Version) => {
  const { baseline, canary } = sideBySide(version);
  return ["--baseline", file(`${name}-a.jsonl`, jsonl(baseline)), "--canary", file(`${name}-b.jsonl`, jsonl(canary))];
};

describe("unship canary", () => {
  it.each<[string, Version, number, RegExp]>([
    ["passes a good canary with exit code 0", {}, 0, /^PASS: all 4 metrics[\s\S]*no-worse +error_rate of cart/],
    [
      "fails a bad one with exit code 1 and the reason",
      { errors: 0.3 },
      1,
      /^FAIL: worse in 1 of 4[\s\S]*worse +error_rate of cart .* \+\d+/,
    ],
    ["is not known with exit code 3 where traffic is too low", { rate: 0.2 }, 3, /^NOT KNOWN: not sure at the end/],
  ])("%s", async (name, version, code, text) => {
    const ran = await unship(["canary", ...pair(name.slice(0, 5), version)]);
    expect(ran.err).toBe("");
    expect(ran.out).toMatch(text);
    expect(ran.code).toBe(code);
  });

  it("says the same in JSON, with nothing else on standard output", async () => {
    const ran = await unship(["canary", ...pair("json", { errors: 0.3 }), "--json"]);
    expect(JSON.parse(ran.out)).toMatchObject({
      judge: "sequential",
      verdict: "fail",
      take_back: true,
      promote: false,
    });
  });

  it("reads CSV files named after their metric", async () => {
    const { baseline, canary } = sideBySide({ p99: 600 });
    const sides = [baseline, canary].map((side) => side.find(({ metric }) => metric === "p99_latency") as Series);
    const [a, b] = sides.map((series, i) => file(`p99_latency.${["baseline", "canary"][i]}.csv`, csv(series)));
    const ran = await unship(["canary", "--baseline", a ?? "", "--canary", b ?? ""]);
    expect(ran.out).toMatch(/worse +p99_latency +\d+ ms +\d+ ms/);
    expect(ran.out).not.toContain(" of :"); // a CSV names no service
    expect(ran.code).toBe(1);
  });

  it("judges by the configured judge, metrics and confidence, and calls what is not in the files unknown", async () => {
    using desk = openDesk();
    const ran = await desk.run(["canary", ...pair("config", {}), "--judge", "kayenta"]);
    expect(ran.out).toMatch(/NOT KNOWN: it passed, but cpu_usage is not known: no data never promotes/);
    expect(ran.code).toBe(3);
  });

  it.each<[string, string, RegExp]>([
    ["no such file", "", /it cannot be read/],
    ["a line that is no JSON", '{"service":"a"\n', /:1: is no JSON/],
    [
      "a field that does not fit",
      `${JSON.stringify({ service: "a", metric: "m", unit: "", start: 1, step: 0, values: [] })}\n`,
      /:1: step must be at least/,
    ],
    ["a time that is none", "timestamp,value\n2026-05-16T18:59:21Z,1\nyesterday,2\n", /:3: "yesterday" is no time/],
    ["a value that is none", "timestamp,value\n1,1\n2,much\n", /:3: "much" is no number/],
    ["rows out of order", "timestamp,value\n60,1\n30,2\n", /:3: is earlier than the line before it/],
    ["a row too long", "timestamp,value\n60,1,5\n", /:2: has 3 columns, the header has 2/],
    ["no header", "60,1\n", /:1: is neither a series in JSON nor the header/],
    ["a single sample", "timestamp,value\n60,1\n", /two samples/],
  ])("refuses %s, naming file and line", (name, text, complaint) => {
    const path = text === "" ? join(folder, "none.csv") : file(`${name.replaceAll(" ", "-")}.csv`, text);
    const read = () => readSeriesFile(path);
    expect(read).toThrow(complaint);
    expect(read).toThrow(path);
  });

  it("ends with exit code 2 and the complaint alone where a file is wrong", async () => {
    const good = file("good.csv", "timestamp,value\n1,1\n2,2\n");
    const ran = await unship(["canary", "--baseline", good, "--canary", file("bad.csv", "timestamp,value\n1,x\n")]);
    expect(ran.err).toMatch(/bad\.csv:2: "x" is no number/);
    expect([ran.out, ran.code]).toEqual(["", 2]);
  });

  it("refuses a side that is two versions", async () => {
    const { baseline } = sideBySide({});
    const two = baseline.flatMap((series) => ["1", "2"].map((version) => ({ ...series, labels: { version } })));
    const ran = await unship([
      "canary",
      "--baseline",
      file("two.jsonl", jsonl(two)),
      "--canary",
      file("one.jsonl", jsonl(baseline)),
    ]);
    expect(ran.err).toMatch(/request_rate of cart is given twice \(versions "1" and "2"\)/);
    expect(ran.code).toBe(2);
  });
});
