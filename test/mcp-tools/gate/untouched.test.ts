import { describe, expect, it } from "vitest";
import { ActionType, type TargetResult } from "../../../core/model/plan.ts";
import type { Executor, TargetState } from "../../../core/ports.ts";
import { lookedAt } from "../../../mcp-tools/gate/untouched.ts";
import { NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";

const target = targetOf();
const { expected, restore } = target;
const failed: TargetResult = { target, result: "failed", detail: "403", at: NOW, warnings: [] };

function executor(state: () => Promise<TargetState>): Executor {
  const never = () => Promise.reject(new Error("a look writes nothing"));
  return { action: target.action, inspect: state, dryRun: never, execute: never, reconcile: never };
}
const at = (state: Pick<TargetState, "version" | "revision">) =>
  executor(async () => ({ ...state, obstacles: [], warnings: [] }));

describe("what a failed act left", () => {
  it.each([
    ["as before: untouched", at(expected), true],
    ["at the version to restore: written", at(restore), false],
    ["at another version: written, by whomever", at({ version: "v9", revision: "99" }), false],
    ["nobody answers: not known", executor(() => Promise.reject(new Error("down"))), undefined],
    ["nobody answers in time: not known", executor(() => new Promise(() => undefined)), undefined],
  ] as const)("the target stands %s", async (_, executor, untouched) => {
    expect((await lookedAt(failed, executor, target, 50)).untouched).toBe(untouched);
  });

  it("an executor that says so itself is believed", async () => {
    expect(await lookedAt({ ...failed, untouched: false }, at(expected), target, 50)).toHaveProperty(
      "untouched",
      false,
    );
  });

  it.each(["done", "unknown", "refused", "stale", "unreachable", "nothing-to-do"] as const)(
    "nobody looks after what ended as %s",
    async (result) => {
      const one = { ...failed, result };
      expect(
        await lookedAt(
          one,
          executor(() => Promise.reject(new Error("asked"))),
          target,
          50,
        ),
      ).toBe(one);
    },
  );

  it.each(ActionType.options)(
    "a version that stands as before shows of a %s that nothing was written, unless a command ran",
    async (action) => {
      const other = targetOf({ action });
      const result = await lookedAt({ ...failed, target: other }, at(other.expected), other, 50);
      expect(result.untouched).toBe(action === "database_migration_rollback" ? undefined : true);
    },
  );
});
