import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { inMode, readConfig } from "../../../agent/compose/config-file.ts";
import { ephemeralGate, ephemeralLedger } from "../../../agent/compose/ephemeral.ts";
import { terminalNotifier } from "../../../agent/compose/notifier.ts";
import { ownerOf, readSecretFile, whyReadable } from "../../../agent/compose/secret-file.ts";
import { secret } from "../../../agent/compose/secrets.ts";
import { answerText } from "../../../agent/compose/step-words.ts";
import { attempt } from "../../../agent/compose/system-parts.ts";
import { ROOT } from "../cli/run-cli.ts";

const SEED = join(ROOT, "examples/openclaw-agent-config.yaml");
const folder = mkdtempSync(join(tmpdir(), "unship-compose-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

describe("a configuration file", () => {
  it("a command that asks the sources needs their secrets; one that asks none does not", () => {
    expect(() => readConfig(SEED, {})).toThrow(expect.objectContaining({ code: "config.invalid" }));
    expect(readConfig(SEED, {}, { secrets: "unused" }).mode).toBe("observe");
    expect(readConfig(SEED, { LD_API_KEY: "k" }).mode).toBe("observe");
  });

  it("a mode from the command line is one of three", () => {
    const config = readConfig(SEED, {}, { mode: "auto", secrets: "unused" });
    expect(config.mode).toBe("auto");
    expect(() => inMode(config, "Auto")).toThrow(/choose observe, approve, auto/);
  });

  it("a file that is not there is told apart from one that cannot be read", () => {
    expect(() => readConfig(join(folder, "none.yaml"), {})).toThrow(/there is no such file; name one/);
    expect(() => readConfig(folder, {})).toThrow(/it is a folder; name the file in it/);
  });
});

describe("secrets", () => {
  it("come from the text, the environment or a file, and a missing one is named without its value", () => {
    expect(secret({ from: "text", value: "t" }, {})).toBe("t");
    expect(secret({ from: "env", name: "T" }, { T: "e" })).toBe("e");
    expect(secret({ from: "file", path: fileOf("secret", "f\n") }, {})).toBe("f");
    expect(() => secret({ from: "env", name: "T" }, { T: "" })).toThrow(/\$\{T\}: the variable is not set/);
    expect(() => secret({ from: "file", path: join(folder, "none") }, {})).toThrow(/the file cannot be read/);
  });

  it.each([
    [0o600, true],
    [0o400, true],
    [0o640, false],
    [0o604, false],
    [0o660, false],
  ])("a personal token in a file of mode %o is accepted: %s", async (mode, accepted) => {
    const read = readSecretFile(fileOf(`token-${mode}`, "mine", mode), null);
    if (accepted) expect(await read).toBe("mine");
    else await expect(read).rejects.toMatchObject({ code: "approval.refused" });
  });
});

describe("a personal token in a file", () => {
  const [ann, agent, root] = [1001, 1002, 0];

  it.each([
    ["of another user than the agent's is accepted", ann, agent, null],
    ["of the agent's own user is refused", agent, agent, /belongs to the user who owns the ledger/],
    ["is refused where the agent runs as root", ann, root, /runs as root/],
    ["is refused where nobody knows whose the ledger is", ann, null, /cannot be determined/],
  ])("%s", (_, owner, owns, why) => {
    if (why === null) expect(whyReadable(owner, owns)).toBeNull();
    else expect(whyReadable(owner, owns)).toMatch(why);
  });

  it("is refused where the ledger belongs to the same user", async () => {
    const ledger = fileOf("ledger.db", "");
    await expect(readSecretFile(fileOf("token", "mine", 0o600), ledger)).rejects.toMatchObject({
      code: "approval.refused",
      message: expect.stringMatching(/belongs to the user who owns the ledger|runs as root/),
    });
  });

  it("is held against the owner of the folder that hides the agent's files from the person", () => {
    const failing = (code: string) => Object.assign(new Error(code), { code });
    const owners = new Map([
      ["/var/lib/unship", ann],
      ["/var/lib", root],
      ["/", root],
    ]);
    const missing = (code: string) => (path: string) => {
      const uid = owners.get(path);
      if (uid === undefined) throw failing(code);
      return { uid };
    };
    expect(ownerOf("/var/lib/unship/knowledge/incidents", missing("EACCES"))).toBe(ann);
    expect(ownerOf("/var/lib/unship/knowledge", missing("ENOENT"))).toBeNull();
    expect(ownerOf("/var/lib/unship", missing("EACCES"))).toBe(ann);
  });

  it("is refused where there is no ledger to compare with", async () => {
    const read = readSecretFile(fileOf("token-2", "mine", 0o600), join(folder, "no-ledger.db"));
    await expect(read).rejects.toMatchObject({ code: "approval.refused" });
  });
});

describe("what commands that look leave behind", () => {
  it("nothing: their ledger is in memory, and their gate refuses everything", async () => {
    await using held = await ephemeralLedger();
    expect(await held.ledger.entries()).toEqual([]);
    await expect(ephemeralGate.submit("plan-1")).rejects.toMatchObject({ code: "input.invalid" });
    await expect(ephemeralGate.pause("all", "anyone")).rejects.toMatchObject({ code: "input.invalid" });
  });
});

it("a notice that no connector delivers is answered as undelivered, by name", async () => {
  const notice = { incidentId: "i", title: "t", lines: [], severity: "info", to: "slack:#incidents" } as const;
  expect(await terminalNotifier.notify(notice)).toEqual({
    delivered: false,
    detail: "undelivered: nothing delivers slack here",
  });
});

it("a source that fails when asked is reported as down with what it said", async () => {
  const ask = () => Promise.reject(new Error("nothing listens there"));
  expect(await attempt("prometheus", ask)).toEqual({ ok: false, text: "prometheus: nothing listens there" });
});

describe("a step's answer in words", () => {
  const answers = {
    identify_recent_deployments: {
      onset: null,
      windowMs: 1_800_000,
      widened: null,
      changeIds: ["a", "b", "c", "d", "e", "f"],
    },
    check_affected_services: { services: [], origin: null },
    check_dependency_graph: { order: ["b", "a"], because: [] },
  };
  it.each([
    ["identify_recent_deployments", "a, b, c, d, e and 1 more in the 30m before onset"],
    ["check_affected_services", "none"],
    ["check_dependency_graph", "to roll back together, in this order: b, a"],
    ["correlate_timing", null],
    ["ask_the_oracle", null],
  ])("%s: %s", (step, text) => {
    expect(answerText(step, answers, { changes: [], unheard: [] })).toBe(text);
  });
});
