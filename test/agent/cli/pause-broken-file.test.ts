// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pause, resume } from "../../../agent/cli/desk.ts";
import { exitCodeOf, failureLines } from "../../../agent/cli/failure.ts";
import { composeCommands } from "../../../agent/compose/commands.ts";
import { announce } from "../../../knowledge/ledger/at-work.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";

/** An installation: its file in a folder, its ledger in another one or beside it. */
let root: string;
const file = () => join(root, "unship.yaml");
const named = () => join(root, "var/ledger.db");
const beside = () => join(root, ".unship/ledger.db");
beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "unship-broken-")));
  for (const folder of ["var", ".unship"]) mkdirSync(join(root, folder));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const make = async (path: string) => (await openSqliteLedger(path)).close();
const pausesIn = async (path: string) => {
  if (!existsSync(path)) return [];
  const ledger = await openSqliteLedger(path);
  return (await ledger.pauses().finally(ledger.close)).map(({ scope }) => scope);
};

const SOURCES = 'data_sources:\n  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }\n';
const LEDGER = () => `ledger:\n  path: ${named()}\n`;

async function said(run: (to: ReturnType<typeof composeCommands>) => Promise<number>) {
  const heard: string[] = [];
  const hear = (text: string) => void heard.push(text);
  const commands = composeCommands({
    version: "0.0.0",
    environment: {},
    start: { command: "node", args: ["unship"] },
    terminal: { out: hear, err: hear, isTty: false, columns: 200, askSecret: null },
    openBundle: () => Promise.reject(new Error("no bundle is asked for")),
  });
  const code = await run(commands).catch((error: unknown) => {
    heard.push(...failureLines(error));
    return exitCodeOf(error);
  });
  return { code, text: heard.join("") };
}
const pausing = (scope = "all") => said((to) => pause(to, scope, { config: file(), by: "bob" }));

describe("S8, S14: a pause while its file cannot be used", () => {
  it.each([
    [
      "a limit is wrong",
      () => `${SOURCES}${LEDGER()}execution: { guardrails: { max_auto_rollbacks_per_day: many } }\n`,
    ],
    ["a key is unknown", () => `${SOURCES}${LEDGER()}guardrial: {}\n`],
    [
      "a variable is not set",
      () => `data_sources: { metrics: { type: prometheus, endpoint: "\${NOT_SET}" } }\n${LEDGER()}`,
    ],
    ["the sources are not there yet", () => LEDGER()],
  ])("is recorded where the file names its ledger, although %s", async (_, text) => {
    await make(named());
    writeFileSync(file(), text());
    const { code, text: answer } = await pausing();
    expect(code).toBe(1);
    expect(answer).toMatch(/CAUTION: .*unship\.yaml has problems .*nothing was started\. Problems: 1/);
    expect(answer).toContain(`Recorded in ${named()}, but nobody obeys it yet`);
    expect(await pausesIn(named())).toEqual(["*"]);
    expect(await pausesIn(beside())).toEqual([]);
  });

  it.each([
    ["cut in its middle", () => `${SOURCES}${LEDGER()}execution: { guardra`],
    ["cut before it names its ledger", () => "data_sources:\n  metrics: { type: prome"],
    ["empty", () => ""],
    ["not there", () => null],
  ])("is recorded where a watch works that was started with this very file, which is %s", async (_, text) => {
    const ledger = text()?.includes("ledger") === true ? named() : beside();
    await make(ledger);
    const watch = announce(ledger, "watch", { mode: "auto", file: file() });
    const written = text();
    if (written !== null) writeFileSync(file(), written);
    const { code, text: answer } = await pausing();
    await watch.withdraw();
    expect(code).toBe(0);
    expect(answer).toMatch(/Obeyed by the watch/);
    expect(await pausesIn(ledger)).toEqual(["*"]);
  });

  it.each([
    ["cut, and nobody is at work", "ledger", null],
    ["cut, and who is at work was started with another file", "ledger", "other.yaml"],
    ["cut, and another installation's ledger lies at the default place", "beside", "other.yaml"],
    ["whole but for a ledger that is not there", "none", null],
    ["cut within the ledger's path", "cut", null],
  ])("is refused, and says that nothing was paused, where the file is %s", async (_, what, by) => {
    await make(what === "beside" ? beside() : named());
    const watch =
      by === null
        ? null
        : announce(what === "beside" ? beside() : named(), "watch", { mode: "auto", file: join(root, by) });
    const texts: Readonly<Record<string, string>> = {
      ledger: `${SOURCES}${LEDGER()}execution: { guardra`,
      beside: "data_sources:\n  metrics: { type: prome",
      none: `ledger: { path: ${join(root, "gone/ledger.db")} }\n`,
      cut: `ledger:\n  path: ${named().slice(0, -4)}`,
    };
    writeFileSync(file(), texts[what] ?? "");
    const before = readdirSync(root);
    const { code, text: answer } = await pausing();
    await watch?.withdraw();
    expect(code).toBe(2);
    expect(answer).toMatch(/NOTHING WAS PAUSED: .*cannot be known with certainty.*Fix it.*end `unship watch`/);
    expect([await pausesIn(named()), await pausesIn(beside())].flat()).toEqual([]);
    expect(readdirSync(root)).toEqual(before);
  });

  it("of one service is held to the names that can be read, and says so where they cannot", async () => {
    await make(named());
    writeFileSync(file(), `${LEDGER()}services: { checkout: { criticality: hihg } }\n`);
    expect((await pausing("chekout")).text).toContain("there are all, checkout");
    expect(await pausesIn(named())).toEqual([]);
    expect((await pausing("checkout")).code).toBe(1);
    writeFileSync(file(), `${LEDGER()}services: { checkout: {`);
    const watch = announce(named(), "watch", { mode: "auto", file: file() });
    const { code, text } = await pausing("search");
    await watch.withdraw();
    expect(code).toBe(0);
    expect(text).toContain("That search is a service of it could not be checked");
    expect((await pausesIn(named())).toSorted()).toEqual(["checkout", "search"]);
  });

  it("a resume says that nothing was resumed", async () => {
    writeFileSync(file(), "data_sources:\n  metrics: { type: prome");
    const { code, text } = await said((to) => resume(to, "all", { config: file() }));
    expect(code).toBe(2);
    expect(text).toContain("NOTHING WAS RESUMED, what is paused stays paused");
  });
});
