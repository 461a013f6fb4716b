import { appendFile, mkdir, mkdtemp, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { linesBackwards, MAX_LINE_BYTES } from "../../../../mcp-tools/connectors/jsonl-logs/backwards.ts";
import { createJsonlLogs } from "../../../../mcp-tools/connectors/jsonl-logs/jsonl-logs.ts";
import { logLineOf } from "../../../../mcp-tools/connectors/jsonl-logs/log-line.ts";

const T = Date.parse("2026-03-01T10:00:00Z");
const HOUR = { from: T - 3_600_000, to: T + 3_600_000 };
const never = new AbortController().signal;

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unship-logs-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const line = (offsetMs: number, message: string, more: object = {}) =>
  `${JSON.stringify({ at: new Date(T + offsetMs).toISOString(), service: "shop", level: "info", message, ...more })}\n`;

/** Writes a file as a process that logs at T would have: last touched then. */
async function log(name: string, text: string) {
  await writeFile(join(folder, name), text);
  await utimes(join(folder, name), T / 1000, T / 1000);
}

it("S9: a compressed file that is named by itself is an error, not a log without lines", async () => {
  await writeFile(join(folder, "app.log.gz"), gzipSync(line(0, "hi")));
  const search = (...paths: readonly string[]) => createJsonlLogs({ paths }).search({ window: HOUR, limit: 1 }, never);
  await expect(search(join(folder, "app.log.gz"))).rejects.toThrow(/app\.log\.gz: it is compressed/);
  // Rotated logs beside the present one are left alone.
  await log("app.log", line(0, "hi"));
  expect((await search(folder)).lines).toHaveLength(1);
});

describe("logLineOf", () => {
  it.each([
    [
      "ours",
      { at: "2026-03-01T10:00:00Z", service: "shop", level: "error", message: "m", version: "2", trace_id: "t" },
      { level: "error", version: "2", traceId: "t" },
    ],
    ["pino", { time: T, service: "shop", level: 50, msg: "m" }, { level: "error" }],
    ["bunyan", { time: "2026-03-01T10:00:00.000Z", service: "shop", level: 40, msg: "m" }, { level: "warn" }],
    ["zap, in seconds", { ts: T / 1000, service: "shop", level: "warn", msg: "m" }, { level: "warn" }],
    [
      "nanoseconds as text",
      { timestamp: `${T}000000`, app: "shop", severity: "CRITICAL", message: "m" },
      { level: "fatal" },
    ],
    ["microseconds", { timestamp: T * 1000, service: "shop", severity: "notice", message: "m" }, { level: "info" }],
    [
      "Elastic Common Schema",
      {
        "@timestamp": "2026-03-01T10:00:00Z",
        service: { name: "shop", version: "3" },
        log: { level: "error" },
        message: "m",
        trace: { id: "t" },
      },
      { level: "error", version: "3", traceId: "t" },
    ],
    ["syslog's numbers", { time: T, service: "shop", severity: 3, message: "m" }, { level: "error" }],
    ["an unknown level", { time: T, service: "shop", level: "loud", message: "m" }, { level: "info" }],
  ])("reads %s", (_, written, more) => {
    expect(logLineOf(JSON.stringify(written))).toEqual({ at: T, service: "shop", message: "m", ...more });
  });

  it.each([
    ["no JSON"],
    ["[1]"],
    ["null"],
    ["{}"],
    ['{"at":"soon","service":"a"}'],
    ['{"at":"2026-03-01T10:00:00Z"}'],
    ['{"at":-1,"service":"a"}'],
  ])("%s is no log line", (text) => {
    expect(logLineOf(text)).toBeNull();
  });

  it("cuts a message that is far too long", () => {
    expect(logLineOf(line(0, "x".repeat(100_000)))?.message.length).toBe(8192);
  });
});

describe("linesBackwards", () => {
  it("gives the lines of any file, in reverse, wherever the chunks are cut", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "ß", "𝄞", " x"), maxLength: 30_000, size: "max" });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 12 }), fc.boolean(), async (lines, closed) => {
        const file = join(folder, "any.log");
        await writeFile(file, lines.join("\n") + (closed ? "\n" : ""));
        const found: (string | null)[] = [];
        for await (const one of linesBackwards(file)) found.push(one.text);
        expect(found).toEqual(
          lines
            .map((one) => one.trim())
            .filter((one) => one !== "")
            .reverse(),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("passes over a line that is too long for memory", async () => {
    await log("big.log", `first\n${"x".repeat(MAX_LINE_BYTES + 5)}\nlast\n`);
    const found: (string | null)[] = [];
    for await (const one of linesBackwards(join(folder, "big.log"))) found.push(one.text);
    expect(found).toEqual(["last", null, "first"]);
  });
});

describe("jsonl-logs", () => {
  const search = async (paths: readonly string[], query: object = {}) =>
    await createJsonlLogs({ paths }).search({ window: HOUR, limit: 100, ...query }, never);
  const messages = async (paths: readonly string[], query: object = {}) =>
    (await search(paths, query)).lines.map(({ message }) => message);

  it("gives the newest lines of all files first", async () => {
    await log("a.jsonl", line(1000, "a1") + line(3000, "a2"));
    await log("b.jsonl", line(2000, "b1", { service: "cart" }) + line(4000, "b2", { service: "cart" }));
    expect(await messages([folder])).toEqual(["b2", "a2", "b1", "a1"]);
    expect(await search([folder], { limit: 3 })).toMatchObject({ more: true, lines: { length: 3 } });
    expect((await search([folder], { limit: 4 })).more).toBe(false);
  });

  it.each([
    ["a service", { services: ["cart"] }, ["c"]],
    ["levels", { levels: ["error", "fatal"] }, ["needle"]],
    ["text, whatever its case", { text: "NEEDLE" }, ["needle"]],
    ["a window, its ends included", { window: { from: T + 2000, to: T + 3000 } }, ["c", "needle"]],
  ])("filters by %s", async (_, query, expected) => {
    const middle = line(2000, "needle", { level: "error" });
    await log("a.jsonl", line(1000, "a") + middle + line(3000, "c", { service: "cart" }));
    expect(await messages([folder], query)).toEqual(expected);
  });

  it("counts what is no log line, and reads on", async () => {
    await log("a.jsonl", `${line(1000, "one")}not json\n{"at":"x"}\n\n${line(2000, "two")}`);
    expect(await search([folder])).toMatchObject({ invalid: 2, lines: [{ message: "two" }, { message: "one" }] });
  });

  it("does not hold a line that is still being written against the file", async () => {
    await log("a.jsonl", `${line(1000, "one")}{"at":"2026-03-`);
    expect(await search([folder])).toMatchObject({ invalid: 0, lines: [{ message: "one" }] });
  });

  it("takes files, folders and patterns, and a rotated file", async () => {
    await mkdir(join(folder, "deep"));
    await log("a.log", line(1000, "a"));
    await log("a.log.1", line(500, "rotated"));
    await log("deep/b.jsonl", line(2000, "b"));
    await log("notes.txt", line(3000, "no"));
    expect(await messages([join(folder, "a.log")])).toEqual(["a"]);
    expect(await messages([folder])).toEqual(["a", "rotated"]);
    expect(await messages([join(folder, "**/*.jsonl")])).toEqual(["b"]);
    expect(await messages([folder, join(folder, "a.log")])).toEqual(["a", "rotated"]);
    expect(await messages([join(folder, "none-*.log")])).toEqual([]);
  });

  it("follows rotation and truncation", async () => {
    const file = join(folder, "a.log");
    await log("a.log", line(1000, "old"));
    expect(await messages([folder])).toEqual(["old"]);
    await rename(file, `${file}.1`);
    await writeFile(file, line(2000, "new"));
    expect(await messages([folder])).toEqual(["new", "old"]);
    await truncate(file, 0);
    await appendFile(file, line(3000, "newer"));
    expect(await messages([folder])).toEqual(["newer", "old"]);
  });

  it("finds a line that was written late, and stops reading where lines are too old", async () => {
    const old = Array.from({ length: 2000 }, (_, i) => line(-7_200_000 + i, "x".repeat(200))).join("");
    await log("a.log", old + line(2000, "late") + line(1000, "early"));
    const answer = await createJsonlLogs({ paths: [folder], maxBytes: 100_000 }).search(
      { window: { from: T, to: T + 5000 }, limit: 10 },
      never,
    );
    expect(answer).toMatchObject({ more: false, lines: [{ message: "late" }, { message: "early" }] });
  });

  it("says that there is more where it may not read it all, and gives each file its share", async () => {
    await log("noisy.log", Array.from({ length: 3000 }, (_, i) => line(i, "noise")).join(""));
    await log("quiet.log", line(0, "quiet", { service: "cart" }));
    const answer = await createJsonlLogs({ paths: [folder], maxBytes: 20_000 }).search(
      { window: HOUR, limit: 5000, levels: ["info"] },
      never,
    );
    expect(answer.more).toBe(true);
    expect(answer.lines.some(({ message }) => message === "quiet")).toBe(true);
  });

  it("is down where a file that was named is not there", async () => {
    await expect(search([join(folder, "gone.log")])).rejects.toMatchObject({ code: "source.not_found" });
  });
});
