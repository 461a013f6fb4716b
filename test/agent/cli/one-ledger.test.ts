import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compileCacheVariable } from "../../../evals/compile-cache.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { ROOT, unship, unshipProcess } from "./run-cli.ts";

/** One installation: a configuration in a folder of its own, and other folders that commands run in. */
let root: string;
const at = (name: string) => join(root, name);
const CONFIG = 'data_sources:\n  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }\n';

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "unship-one-ledger-")));
  for (const name of ["etc", "shell", "service"]) mkdirSync(at(name));
  writeFileSync(at("etc/unship.yaml"), CONFIG);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A process that watches, or serves MCP, until it is disposed of; it is at work when this returns. */
async function atWork(words: readonly string[], folder: string): Promise<AsyncDisposable & { kill(): Promise<void> }> {
  const child = spawn(process.execPath, [join(ROOT, "agent/main.ts"), ...words], {
    cwd: at(folder),
    env: { PATH: process.env.PATH, ...compileCacheVariable() },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  if (words[0] === "watch") {
    for await (const line of createInterface(child.stdout)) if (line.includes("watch.started")) break;
  } else {
    const hello = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: hello })}\n`);
    for await (const line of createInterface(child.stdout)) if (line.includes("serverInfo")) break;
  }
  child.stdout.resume();
  return { kill: () => end("SIGKILL"), [Symbol.asyncDispose]: () => end("SIGTERM") };
}

const run = (folder: string, ...words: string[]) =>
  // A server of a refused ledger serves that on its standard input, which is the process's.
  (words[0] === "mcp" ? unshipProcess : unship)(words, { cwd: at(folder) });
const pauses = async (path: string) => {
  const ledger = await openSqliteLedger(path);
  return ledger.pauses().finally(ledger.close);
};

describe("S2, S14: one installation has one ledger, wherever a command runs", () => {
  it("a second watch is refused and named the ledger; a pause from a third folder reaches the first, by its name", async () => {
    await using _watch = await atWork(["watch", "-c", "../etc/unship.yaml"], "service");
    const second = await run("shell", "watch", "-c", at("etc/unship.yaml"));
    expect(second.code).toBe(3);
    expect(second.err).toContain(`Another watch works on ${at("etc/.unship/ledger.db")}`);
    const paused = await run("etc", "pause", "--by", "bob");
    expect(paused).toMatchObject({ code: 0, err: "" });
    expect(paused.out).toMatch(/^Paused: nothing will be executed/);
    expect(paused.out).toMatch(/Obeyed by the watch \(process \d+ on .*, since .*\), on .*etc\/\.unship\/ledger\.db/);
    const status = await run("shell", "status", "-c", "../etc/unship.yaml");
    expect(status.out).toMatch(/At work: the watch \(process \d+/);
    expect(status.out).toContain("PAUSED: everything, by bob");
    expect([existsSync(at("service/.unship")), existsSync(at("shell/.unship"))]).toEqual([false, false]);
  });

  it("S7, S15: status says the mode in which the watch was started, and what the file says beside it", async () => {
    await using _watch = await atWork(["watch", "-c", "../etc/unship.yaml", "--mode", "auto"], "service");
    const { out } = await run("shell", "status", "-c", "../etc/unship.yaml");
    const file = "../etc/unship.yaml says observe (the default: the file names none).";
    expect(out.split("\n")).toContain(`Mode auto, in which the watch runs; ${file}`);
    expect(out).toMatch(/At work: the watch \(process \d+ on .*, in mode auto\)/);
    const { out: json } = await run("shell", "status", "-c", "../etc/unship.yaml", "--json");
    expect(JSON.parse(json)).toMatchObject({ mode: "auto", mode_by_file: "observe", at_work: [{ mode: "auto" }] });
  });

  it("S8, S15: status and check say that the watch obeys another version of a file that was edited since", async () => {
    await using _watch = await atWork(["watch", "-c", "../etc/unship.yaml"], "service");
    const look = async (command: string) => (await run("shell", command, "-c", "../etc/unship.yaml")).out;
    writeFileSync(
      at("etc/unship.yaml"),
      `# a comment changes nothing, nor does a default that is written out\n${CONFIG}mode: observe\n`,
    );
    expect(await look("status")).not.toContain("another version");
    writeFileSync(at("etc/unship.yaml"), `${CONFIG}mode: auto\nservices: { checkout: { criticality: low } }\n`);
    const differs = /CAUTION: the watch obeys another version of \.\.\/etc\/unship\.yaml, read at 20\d\d-\S+Z/;
    const status = await look("status");
    expect(status.split("\n")).toContain("Mode observe, in which the watch runs; ../etc/unship.yaml says auto.");
    expect(status).toMatch(differs);
    const { out: json } = await run("shell", "status", "-c", "../etc/unship.yaml", "--json");
    expect(JSON.parse(json)).toMatchObject({ mode: "observe", at_work: [{ work: "watch", obeys: "another_version" }] });
    const { code, out: checked } = await run("shell", "check", "--offline", "-c", "../etc/unship.yaml");
    expect(code).toBe(0);
    expect(checked).toMatch(differs);
    expect(checked).toContain("Mode observe, in which the watch runs");
  });

  it("an MCP server that may act obeys too; one that only reads does not, and neither does one that was killed", async () => {
    const acting = await atWork(["mcp", "-c", "../etc/unship.yaml"], "service");
    const obeyed = await run("shell", "pause", "-c", "../etc/unship.yaml", "--json");
    expect(obeyed.code).toBe(0);
    expect(JSON.parse(obeyed.out)).toMatchObject({
      paused: "all",
      ledger: at("etc/.unship/ledger.db"),
      obeyed_by: [{ work: "mcp" }],
    });
    await acting.kill();
    await using _reading = await atWork(["mcp", "--read-only", "-c", "../etc/unship.yaml"], "service");
    expect(await run("shell", "pause", "-c", "../etc/unship.yaml")).toMatchObject({ code: 1, err: "" });
  });

  it("a pause that nobody obeys yet is recorded, says so with exit code 1, and binds whoever starts", async () => {
    const paused = await run("shell", "pause", "-c", "../etc/unship.yaml");
    expect(paused).toMatchObject({ code: 1, err: "" });
    expect(paused.out).toContain(`Recorded in ${at("etc/.unship/ledger.db")}, but nobody obeys it yet`);
    expect(paused.out).toContain("Whoever starts on it obeys");
    expect(paused.out).not.toMatch(/^Paused/m);
    expect(await pauses(at("etc/.unship/ledger.db"))).toMatchObject([{ scope: "*" }]);
  });

  it("a watch whose ledger was moved away does not obey what is written to the one that took its place", async () => {
    await using _watch = await atWork(["watch", "-c", "../etc/unship.yaml"], "service");
    for (const end of ["", "-wal", "-shm"]) rmSync(at(`etc/.unship/ledger.db${end}`), { force: true });
    expect((await run("shell", "pause", "-c", "../etc/unship.yaml")).code).toBe(1);
  });

  it("a watch that calls the ledger by a link is a second one; a ledger with two names is none", async () => {
    mkdirSync(at("var"));
    symlinkSync(at("var/ledger.db"), at("etc/linked.db"));
    writeFileSync(at("etc/unship.yaml"), `${CONFIG}ledger: { path: "${at("var/ledger.db")}" }\n`);
    writeFileSync(at("etc/other.yaml"), `${CONFIG}ledger: { path: linked.db }\n`);
    await using _watch = await atWork(["watch", "-c", "unship.yaml"], "etc");
    const second = await run("etc", "watch", "-c", "other.yaml");
    expect(second.code).toBe(3);
    expect(second.err).toContain("Another watch works on");
    expect((await run("etc", "pause", "-c", "other.yaml")).code).toBe(0);
    linkSync(at("var/ledger.db"), at("etc/hard.db"));
    const hard = await run("etc", "status");
    expect(hard.code).toBe(3);
    expect(hard.err).toContain("has 2 names (hard links)");
  });
});

describe("S2: a ledger at the old default place is not left behind", () => {
  const fill = async (path: string) => (await openSqliteLedger(path)).close();

  it.each([["watch"], ["status"], ["pause"], ["check"], ["mcp"]])(
    "unship %s names it and refuses; once it is moved as it says, its pauses count",
    async (command) => {
      await fill(at("service/.unship/ledger.db"));
      const refused = await run("service", command, "-c", "../etc/unship.yaml");
      expect(refused.code).toBe(2);
      expect(refused.err).toContain(
        `a ledger lies at ${at("service/.unship/ledger.db")}, where earlier versions kept it`,
      );
      expect(refused.err).toContain(
        `mkdir -p ${at("etc/.unship")} && mv ${at("service/.unship/ledger.db")}* ${at("etc/.unship")}/`,
      );
      expect(existsSync(at("etc/.unship"))).toBe(false);
    },
  );

  it("also where a relative path was written, and where another one lies in the right place already", async () => {
    writeFileSync(at("etc/unship.yaml"), `${CONFIG}ledger: { path: state/ledger.db }\n`);
    await fill(at("service/state/ledger.db"));
    await fill(at("etc/state/ledger.db"));
    const refused = await run("service", "status", "-c", "../etc/unship.yaml");
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`and another one at ${at("etc/state/ledger.db")}`);
  });

  it("the ledger of the installation in whose folder one stands is not taken for it", async () => {
    writeFileSync(at("service/unship.yaml"), CONFIG);
    await fill(at("service/.unship/ledger.db"));
    await fill(at("etc/.unship/ledger.db"));
    expect((await run("service", "status", "-c", "../etc/unship.yaml")).code).toBe(0);
    expect((await run("service", "status")).code).toBe(0);
  });

  it("a file that is a link into another folder has to name its ledger in full", async () => {
    symlinkSync(at("etc/unship.yaml"), at("shell/unship.yaml"));
    const refused = await run("shell", "status");
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("Name the ledger by an absolute path");
    writeFileSync(at("etc/unship.yaml"), `${CONFIG}ledger: { path: "${at("etc/l.db")}" }\n`);
    expect((await run("shell", "status")).code).toBe(0);
  });
});

it("S8: a ledger in memory starts nothing: each command of its own would keep one", async () => {
  writeFileSync(at("etc/unship.yaml"), `${CONFIG}ledger: { path: ":memory:" }\n`);
  for (const command of ["watch", "mcp", "pause", "status", "check"]) {
    const refused = await run("etc", command);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/unship\.yaml:3:\d+: ledger\.path is :memory:/);
  }
});
