import { describe, expect, it } from "vitest";
import { isSameUndoing, planContent, positionOf, targetKey } from "../../../core/guardrails/targets.ts";
import { flagOf, planOf, targetOf } from "./rule-inputs.ts";

describe("position of a target", () => {
  const sameVersion = targetOf({
    expected: { version: "v1", revision: "7" },
    restore: { version: "v1", revision: "6" },
  });
  it.each([
    ["where the plan expects it", targetOf(), "v2", "7", "expected"],
    ["restored under a new revision number", targetOf(), "v1", "8", "restored"],
    ["at a third version", targetOf(), "v3", "8", "elsewhere"],
    ["at the expected version under another revision", targetOf(), "v2", "9", "elsewhere"],
    ["with equal versions: another revision proves nothing", sameVersion, "v1", "8", "elsewhere"],
    ["with equal versions: the revision to restore", sameVersion, "v1", "6", "restored"],
    ["a flag as expected", flagOf(), "41", "on", "expected"],
    ["a flag that someone switched off", flagOf(), "43", "off", "restored"],
    ["a flag that someone touched", flagOf(), "43", "on", "elsewhere"],
  ] as const)("%s", (_, target, version, revision, position) => {
    expect(positionOf(target, { version, revision })).toBe(position);
  });
});

describe("key of a target", () => {
  it("is one for one object, whatever service, change or version the plan names", () => {
    const other = targetOf({ service: "web", changeId: "x", expected: { version: "v9", revision: "9" } });
    expect(targetKey(other)).toBe(targetKey(targetOf()));
    expect(targetKey(targetOf({ object: { ...targetOf().object, kind: "deployment" } }))).toBe(targetKey(targetOf()));
  });

  it("differs for another object or environment", () => {
    expect(targetKey(targetOf({ name: "cart" }))).not.toBe(targetKey(targetOf()));
    expect(targetKey(flagOf({ environment: "staging" }))).not.toBe(targetKey(flagOf()));
  });
});

describe("plans that would undo the same", () => {
  const cart = targetOf({ name: "cart" });
  it.each([
    ["in another order", [targetOf(), cart], [cart, targetOf()], true],
    ["from another revision", [targetOf()], [targetOf({ expected: { version: "v2", revision: "9" } })], true],
    ["not of another change", [targetOf()], [targetOf({ changeId: "deploy-2" })], false],
    ["not back to another version", [targetOf()], [targetOf({ restore: { version: "v0", revision: "5" } })], false],
    ["not of more objects", [targetOf()], [targetOf(), cart], false],
  ] as const)("are alike: %s", (_, a, b, same) => {
    expect(isSameUndoing(a, b)).toBe(same);
  });
});

describe("content of a plan", () => {
  it("leaves out who proposed it, when and why", () => {
    const other = planOf({ id: "p", reason: "because", proposedBy: "mcp:x", createdAt: 1, expiresAt: 2, hash: "h" });
    expect(planContent(other)).toBe(planContent(planOf()));
  });

  it.each([
    ["the incident", planOf({ incidentId: "incident-2" })],
    ["a version", planOf({ targets: [targetOf({ restore: { version: "v0", revision: "6" } })] })],
    ["the order", planOf({ targets: [targetOf({ name: "b" }), targetOf({ name: "a" })] })],
  ])("changes with %s", (_, plan) => {
    const reference = planOf({ targets: plan.targets.length === 2 ? [...plan.targets].reverse() : [targetOf()] });
    expect(planContent(plan)).not.toBe(planContent(reference));
  });
});
