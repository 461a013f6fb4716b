import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planContent, positionOf, sharedUndoing, targetKey } from "../../../core/guardrails/targets.ts";
import { touchedBy, writesToSame } from "../../../core/guardrails/touched.ts";
import type { Target } from "../../../core/model/plan.ts";
import { flagOf, planOf, serviceOf, targetOf } from "./rule-inputs.ts";

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

describe("what a person's no to other targets binds", () => {
  const cart = targetOf({ name: "cart" });
  const shop = { kind: "Application", namespace: "argocd", name: "shop" };
  const synced = targetOf({ action: "argocd_sync_to_previous", object: shop, changeId: "deploy-shop" });
  it.each([
    ["all of them, in another order", [targetOf(), cart], [cart, targetOf()], ["checkout", "cart"]],
    ["one of the two that were refused", [cart], [targetOf(), cart], ["cart"]],
    ["the refused one of two", [targetOf(), cart], [cart], ["cart"]],
    [
      "one of each, where neither is a part of the other",
      [targetOf(), cart],
      [cart, targetOf({ name: "web" })],
      ["cart"],
    ],
    ["from another revision", [targetOf({ expected: { version: "v2", revision: "9" } })], [targetOf()], ["checkout"]],
    ["back to another version", [targetOf({ restore: { version: "v0", revision: "5" } })], [targetOf()], ["checkout"]],
    ["by another action", [targetOf({ action: "rollout_abort" })], [targetOf()], ["checkout"]],
    ["under another spelling of its object", [targetOf({ object: shop })], [targetOf()], ["checkout"]],
    [
      "a flag, however often it was written since",
      [flagOf({ expected: { version: "44", revision: "on" } })],
      [flagOf()],
      ["checkout"],
    ],
    ["a flag of which no environment is known", [flagOf({ environment: undefined })], [flagOf()], ["checkout"]],
    [
      "an application under the name of another of its changes",
      [{ ...synced, changeId: "deploy-shop:web" }],
      [synced],
      ["checkout"],
    ],
    [
      "not a newer change of the same object",
      [targetOf({ changeId: "deploy-2", expected: { version: "v3", revision: "8" } })],
      [targetOf()],
      [],
    ],
    ["not a flag that was switched on again", [flagOf({ changeId: "flag-2" })], [flagOf()], []],
    ["not a schema that was moved again", [migration("migration-2")], [migration("migration-1")], []],
    ["not another object", [cart], [targetOf()], []],
    ["not taking back what was not to be promoted", [targetOf()], [targetOf({ action: "rollout_promote" })], []],
  ] as const)("%s", (_, targets, refused, bound) => {
    expect(sharedUndoing(targets.map(known), refused.map(known)).map(({ service }) => service)).toEqual(bound);
  });

  function migration(changeId: string): Target {
    const object = { kind: "Schema", namespace: "production", name: "orders" };
    const expected = { version: "12", revision: "" };
    return targetOf({ action: "database_migration_rollback", object, changeId, expected });
  }
  const known = ({ environment, ...rest }: Target): Target => ({
    ...rest,
    ...(environment === undefined ? {} : { environment }),
  });

  const one = fc
    .tuple(fc.constantFrom("web", "cart", "checkout"), fc.integer({ min: 1, max: 3 }))
    .map(([name, version]) =>
      targetOf({
        name,
        changeId: `deploy-${name}-${version}`,
        expected: { version: `v${version}`, revision: String(version) },
      }),
    );
  const plans = fc.uniqueArray(one, { minLength: 1, maxLength: 3, selector: ({ service }) => service });

  it("holds each plan that would undo any part of it, and no other", () => {
    fc.assert(
      fc.property(plans, plans, (targets, refused) => {
        const ids = new Set(refused.map(({ changeId }) => changeId));
        expect(sharedUndoing(targets, refused)).toEqual(targets.filter(({ changeId }) => ids.has(changeId)));
      }),
      { seed: 13 },
    );
  });
});

describe("two targets that one act must not write to while the other's result is unknown", () => {
  const application = { kind: "Application", namespace: "argocd", name: "shop" };
  const synced = targetOf({ name: "cart", action: "argocd_sync_to_previous", object: application });
  const named = (change: Partial<Target["object"]>) => targetOf({ object: { ...targetOf().object, ...change } });
  const { environment: _, ...nowhere } = flagOf();
  it.each<readonly [string, Target, Target, boolean]>([
    ["one object", targetOf(), targetOf({ changeId: "x", service: "web" }), true],
    ["one whose kind is spelled otherwise", targetOf(), named({ kind: "deployment" }), true],
    ["one of which no namespace is known", targetOf(), named({ namespace: "" }), true],
    ["a flag of which no environment is known", flagOf(), nowhere, true],
    ["a workload and the application of its service", targetOf({ name: "cart" }), synced, true],
    ["a workload and the application that the file names for its service", targetOf(), synced, true],
    ["not a workload that the application does not deploy", targetOf({ name: "search" }), synced, false],
    ["not a flag of a service that the application deploys", flagOf({ service: "cart" }), synced, false],
    ["not a flag in another environment", flagOf(), flagOf({ environment: "staging" }), false],
    ["not an object of another name", targetOf(), targetOf({ name: "cart" }), false],
    ["not one in another namespace", targetOf(), named({ namespace: "staging" }), false],
  ])("%s", (_, one, other, same) => {
    const services = { checkout: serviceOf({ argocdApplication: "shop" }), search: serviceOf() };
    const [a, b] = [touchedBy(one, null, services), touchedBy(other, null, services)];
    expect(writesToSame(a, b)).toBe(same);
    expect(writesToSame(b, a)).toBe(same);
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
