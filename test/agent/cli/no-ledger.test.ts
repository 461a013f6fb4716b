import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { type Desk, openDesk } from "./run-cli.ts";

let desk: Desk;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unship-none-"));
  path = join(folder, "var/ledger.db");
  desk = openDesk({ ledger: path });
});
afterEach(() => {
  desk[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe("S1: a command that only reads, where there is no ledger", () => {
  const refused: readonly (readonly string[])[] = [
    ["audit", "verify"],
    ["audit", "export"],
    ["audit", "sign"],
    ["postmortem", "incident-1"],
    ["knowledge", "rebuild"],
    ["approve", "plan-1"],
    ["reject", "plan-1", "--reason", "no"],
    ["ack", "incident-1"],
    ["snooze", "incident-1"],
    ["resume", "all"],
  ];
  it.each(refused.map((words) => [words.join(" "), words] as const))(
    "%s says so, fails, and makes none",
    async (_, words) => {
      const personal = ["approve", "reject", "ack", "snooze", "resume"].includes(words[0] ?? "");
      const token = personal ? ["--token-file", desk.tokenFile(ALICE_TOKEN)] : [];
      const { code, out, err } = await desk.run([...words, ...token]);
      expect(err).toContain(`there is none at ${path}`);
      expect(out).not.toContain("holds");
      expect(code).not.toBe(0);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("status shows it, and makes none", async () => {
    const { code, out } = await desk.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain(`Ledger: none at ${path}: nothing was recorded there yet, or it was moved or deleted.`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a pause is for whoever starts, and makes one", async () => {
    await desk.run(["pause"]);
    expect(existsSync(path)).toBe(true);
    expect(await desk.run(["audit", "verify"])).toMatchObject({ code: 0, out: expect.stringContaining("1 entries") });
  });
});

it("S1: an empty ledger does not verify: what was in it before would be gone", async () => {
  path = join(folder, "ledger.db");
  writeFileSync(path, "");
  using other = openDesk({ ledger: path });
  const { code, out } = await other.run(["audit", "verify"]);
  expect(out).toMatch(/^The ledger is empty: /);
  expect(out).not.toContain("holds");
  expect(code).toBe(1);
});
