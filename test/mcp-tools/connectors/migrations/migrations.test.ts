import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { migrationChanges } from "../../../../mcp-tools/connectors/migrations/changes.ts";
import type { Database } from "../../../../mcp-tools/connectors/migrations/database.ts";
import { migrationRollback } from "../../../../mcp-tools/connectors/migrations/rollback.ts";
import { type Behaviour, fakeMigrationTool } from "../../../fakes/fake-migration-tool.ts";

const never = new AbortController().signal;
const SECRET = "postgres://orders:hunter2-long@db/orders";
const KEY = "plan-1:0";

/** A schema at version b2, whose last migration came from a1. */
function setting(more: Partial<Database> = {}) {
  const tool = fakeMigrationTool("b2");
  const database: Database = {
    name: "orders-db",
    service: "orders",
    namespace: "production",
    status: tool.status,
    rollback: tool.rollback,
    directory: tool.folder,
    environment: { DATABASE_URL: SECRET },
    timeoutMs: 10_000,
    everyMs: 60_000,
    ...more,
  };
  return {
    tool,
    database,
    executor: migrationRollback({ databases: [database], now: () => 5 }),
    [Symbol.dispose]: () => tool[Symbol.dispose](),
  };
}

const target = (change: Partial<Target> = {}): Target => ({
  action: "database_migration_rollback",
  service: "orders",
  changeId: "migration:production/orders-db:b2@1",
  object: { kind: "Migration", namespace: "production", name: "orders-db" },
  expected: { version: "b2", revision: "" },
  restore: { version: "a1", revision: "" },
  ...change,
});

describe("database_migration_rollback", () => {
  it("runs the command once, with the versions in it and no shell, and believes the status alone", async () => {
    using s = setting();
    expect(await s.executor.inspect(target(), never)).toMatchObject({ version: "b2", revision: "", obstacles: [] });
    const result = await s.executor.execute(target(), KEY, never);
    expect(result).toMatchObject({ result: "done", at: 5, detail: "Migrations of orders-db: it is at a1" });
    expect(result.warnings.join()).toContain("is lost");
    expect(s.tool.calls()).toEqual([["a1"]]);
    expect((await s.executor.execute(target(), KEY, never)).result).toBe("nothing-to-do");
    expect(s.tool.calls()).toHaveLength(1);
  });

  it.each<[string, Behaviour, string, RegExp]>([
    [
      "ended well and did nothing",
      "nothing",
      "failed",
      /it still is at b2; it ended with code 0; it is not run again; by hand: 1\)/,
    ],
    [
      "stopped half-way",
      "half",
      "failed",
      /HALF DONE: it is at neither, neither the one nor the other; it ended with code 7/,
    ],
    [
      "failed before it did anything",
      "fails",
      "failed",
      /it still is at b2; it ended with code 7 \(ERROR cannot drop column/,
    ],
    [
      "did it and failed then",
      "fails-after",
      "failed",
      /it is at a1, as wanted, but it ended with code 7.*check it before it serves/,
    ],
  ])("a command that %s is %3$s, and a person gets the exact steps", async (_, how, expected, says) => {
    using s = setting();
    s.tool.behave(how);
    const result = await s.executor.execute(target(), KEY, never);
    expect(result.result).toBe(expected);
    expect(result.detail).toMatch(says);
    if (how !== "fails-after") expect(result.detail).toContain(`tool.mjs down a1 (in ${s.tool.folder})`);
    expect(s.tool.calls()).toHaveLength(1);
  });

  it("a command that hangs is killed with its children, and what stands is said", async () => {
    using s = setting({ timeoutMs: 300 });
    s.tool.behave("hangs");
    const result = await s.executor.execute(target(), KEY, never);
    expect(result.result).toBe("failed");
    expect(result.detail).toMatch(/it still is at b2; it took too long and was killed/);
  });

  it("a command whose end nobody can judge is unknown", async () => {
    using s = setting({ rollback: [process.execPath, "-e", "require('fs').writeFileSync('version', 'silent')"] });
    const result = await s.executor.execute(target(), KEY, never);
    expect(result).toMatchObject({
      result: "unknown",
      detail: expect.stringContaining("its status does not answer; by hand:"),
    });
  });

  it("S10: what it prints is bounded, and holds nothing of its environment", async () => {
    using s = setting();
    s.tool.behave("loud");
    const { detail } = await s.executor.execute(target(), KEY, never);
    expect(detail.length).toBeLessThan(2000);
    expect(detail).toContain("cannot drop column of ***");
    expect(detail).not.toContain("hunter2");
  });

  it("S10: what it tells of its commands has the names of variables, not their values, and runs them with the values", async () => {
    using s = setting();
    const argv = [...(s.database.rollback ?? []), "-p", "hunter2-long", "u:it's"];
    const hidden = (text: string) => text.replaceAll("hunter2-long", `\${PW}`).replaceAll("it's", `\${Q}`);
    const asWritten = { argument: hidden, output: hidden };
    const executor = migrationRollback({ databases: [{ ...s.database, rollback: argv, asWritten }], now: () => 5 });
    const would = await executor.dryRun(target(), never);
    s.tool.behave("fails");
    const failed = await executor.execute(target(), KEY, never);
    expect(would.detail).toContain(`"-p","\${PW}","u:\${Q}"]`);
    expect(failed.detail).toContain(`a1 -p "\${PW}" "u:\${Q}" (in`);
    expect(`${would.detail}${failed.detail}`).not.toMatch(/hunter2|it's/);
    expect(s.tool.calls().flat().join(" ")).toContain("a1");
  });

  it.each([
    ["is at the older version already", "a1", "nothing-to-do"],
    ["is at another version by now", "c3", "stale"],
    ["does not say where it is", "silent", "unreachable"],
  ] as const)("S6: a schema that %s is %3$s, and nothing is run", async (_, version, expected) => {
    using s = setting();
    s.tool.set(version);
    expect((await s.executor.execute(target(), KEY, never)).result).toBe(expected);
    expect((await s.executor.dryRun(target(), never)).result).toBe(expected);
    expect(s.tool.calls()).toEqual([]);
  });

  it.each([
    [
      "no status command",
      { status: null },
      /no status command is named.*by hand: 1\) stop what writes.*2\) check that orders-db is at b2, with its migration tool.*down a1/,
    ],
    [
      "no rollback command",
      { rollback: null },
      /no rollback command is named.*3\) roll it back to a1 with its migration tool/,
    ],
    ["neither", { status: null, rollback: null }, /no status command is named/],
  ] as const)("with %s it never runs anything, and hands over the exact steps", async (_, more, says) => {
    using s = setting(more);
    const result = await s.executor.execute(target(), KEY, never);
    expect(result.result).toBe("refused");
    expect(result.detail).toMatch(says);
    expect((await s.executor.inspect(target(), never)).obstacles[0]).toMatch(says);
    expect(s.tool.calls()).toEqual([]);
  });

  it.each([
    ["an option", "--force"],
    ["a second command", "a1; rm -rf /"],
    ["nothing", ""],
  ])("a version that is %s is refused, and never reaches a command", async (_, version) => {
    using s = setting();
    const smuggled = target({ restore: { version, revision: "" } });
    expect((await s.executor.execute(smuggled, KEY, never)).result).toBe("refused");
    expect(s.tool.calls()).toEqual([]);
  });

  it("a schema that the file does not name is refused", async () => {
    using s = setting();
    const other = target({ object: { kind: "Migration", namespace: "staging", name: "orders-db" } });
    expect((await s.executor.execute(other, KEY, never)).result).toBe("refused");
    await expect(s.executor.inspect(other, never)).rejects.toMatchObject({ code: "source.not_found" });
  });

  it("a schema of the same name, of another service, is another schema", async () => {
    using s = setting();
    expect((await s.executor.execute(target({ service: "billing" }), KEY, never)).result).toBe("refused");
    expect(s.tool.calls()).toEqual([]);
  });

  it("a program that does not exist is failed, with nothing run", async () => {
    using s = setting({ rollback: ["/nowhere/migrate", "{restore}"] });
    const result = await s.executor.execute(target(), KEY, never);
    expect(result).toMatchObject({
      result: "failed",
      detail: expect.stringContaining("could not be started; nothing was run"),
    });
  });

  it.each([
    ["it is where it should be: done", "a1", "done"],
    ["it still is where it was: unknown, since the command may still run", "b2", "unknown"],
    ["it is somewhere else: unknown", "c3", "unknown"],
    ["nobody says: unknown", "silent", "unknown"],
  ] as const)("S5: after a crash it never runs again; %s", async (_, version, expected) => {
    using s = setting();
    s.tool.set(version);
    const result = await s.executor.reconcile(target(), KEY, never);
    expect(result.result).toBe(expected);
    // Nobody saw how the command ended: it is not called well.
    if (expected === "done") expect(result.warnings.join()).toContain("How the command ended is not known");
    if (expected === "unknown") expect(result.detail).toMatch(/it is not run again; by hand: 1\)/);
    expect(s.tool.calls()).toEqual([]);
  });
});

it.each([
  ["names no status command any more", { status: null }],
  ["names no rollback command any more", { rollback: null }],
  ["names another schema by now", { name: "other-db" }],
] as const)("S5: after a crash, where the file %s, what came of the try is unknown", async (_, more) => {
  using s = setting(more);
  expect(await s.executor.reconcile(target(), KEY, never)).toMatchObject({
    result: "unknown",
    detail: expect.stringContaining("whether it was run before cannot be determined"),
  });
});

describe("a migration's rollback that the gate lost patience with", () => {
  it("is asked how its command ended, wherever the schema is", async () => {
    using s = setting();
    s.tool.behave("fails-after");
    expect(await s.executor.execute(target(), KEY, never)).toMatchObject({ result: "failed" });
    const after = await s.executor.reconcile(target(), KEY, never);
    expect(after).toMatchObject({ result: "failed", detail: expect.stringMatching(/it is at a1.*ended with code/) });
  });
});

describe("migrations as changes", () => {
  it("are seen where the status says another version than at the last look, and not more often than asked for", async () => {
    using s = setting();
    let now = 1_000_000;
    const source = migrationChanges([s.database], () => now);
    const all = { from: 0, to: Date.UTC(2100, 0) };
    expect(await source.changes(all, never)).toEqual([]);
    s.tool.set("c3");
    now += 30_000;
    expect(await source.changes(all, never)).toEqual([]);
    now += 60_000;
    expect(await source.changes(all, never)).toMatchObject([
      {
        kind: "migration",
        service: "orders",
        from: "b2",
        to: "c3",
        startedAt: 1_000_000,
        finishedAt: now,
        reversible: false,
      },
    ]);
    expect(await source.changes({ from: 0, to: 5 }, never)).toEqual([]);
    s.tool.set("silent");
    now += 60_000;
    await expect(source.changes(all, never)).rejects.toMatchObject({ code: "source.unavailable" });
  });
});
