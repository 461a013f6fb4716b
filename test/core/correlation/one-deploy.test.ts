import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneDeploy } from "../../../core/correlation/one-deploy.ts";
import type { Change } from "../../../core/model/change.ts";

const T0 = 1_767_268_800_000;
const SECOND = 1000;

const sync = (at: number, more: Partial<Change> = {}): Change => ({
  id: `sync:${at}`,
  kind: "deploy",
  service: "cart",
  from: "aaaaaaaaaa",
  to: "bbbbbbbbbb",
  startedAt: T0 + at * SECOND,
  finishedAt: T0 + at * SECOND,
  source: "argocd",
  reversible: true,
  author: "Ada",
  commit: "b".repeat(40),
  workload: { kind: "Application", namespace: "argocd", name: "cart" },
  fromRevision: "0",
  toRevision: "1",
  ...more,
});
const rollout = (at: number, more: Partial<Change> = {}): Change => ({
  id: `rollout:${at}`,
  kind: "deploy",
  service: "cart",
  from: "1.4.0",
  to: "1.5.0",
  startedAt: T0 + at * SECOND,
  finishedAt: T0 + (at + 60) * SECOND,
  source: "kubernetes",
  reversible: true,
  author: "argocd-controller",
  workload: { kind: "Deployment", namespace: "shop", name: "cart" },
  fromRevision: "3",
  toRevision: "4",
  ...more,
});
const ids = (changes: readonly Change[]) => oneDeploy(changes).map(({ id }) => id);

describe("a deploy that Argo CD and Kubernetes both tell of", () => {
  it("is one change: Argo CD's place in its history, Kubernetes' versions and end", () => {
    expect(oneDeploy([sync(0), rollout(3)])).toEqual([
      { ...sync(0), from: "1.4.0", to: "1.5.0", finishedAt: T0 + 63 * SECOND },
    ]);
  });

  it.each<[string, readonly Change[], readonly string[]]>([
    ["a rollout long after the sync was made past Argo CD", [sync(0), rollout(700)], ["sync:0", "rollout:700"]],
    ["a rollout before the sync is not of it", [rollout(-60), sync(0)], ["rollout:-60", "sync:0"]],
    ["clocks may differ by a few seconds", [rollout(-3), sync(0)], ["sync:0"]],
    ["a rollout belongs to the newest sync before it", [sync(0), sync(100), rollout(105)], ["sync:0", "sync:100"]],
    ["another service's rollout is its own", [sync(0), rollout(3, { service: "mail" })], ["sync:0", "rollout:3"]],
    [
      "what changes a workload again was made past Argo CD",
      [sync(0), rollout(3), rollout(90)],
      ["sync:0", "rollout:90"],
    ],
    [
      "so was what somebody did with kubectl",
      [sync(0), rollout(3, { author: "kubectl-set" })],
      ["sync:0", "rollout:3"],
    ],
    ["a flag is never a rollout", [sync(0), rollout(3, { kind: "flag" })], ["sync:0", "rollout:3"]],
    ["without Argo CD nothing is joined", [rollout(0), rollout(3)], ["rollout:0", "rollout:3"]],
  ])("%s", (_, changes, expected) => {
    expect(ids(changes)).toEqual(expected);
  });

  it("has no end as long as one of its rollouts has none", () => {
    const [joined] = oneDeploy([
      sync(0),
      rollout(3),
      rollout(4, { id: "b", finishedAt: null, workload: { kind: "Deployment", namespace: "shop", name: "cart-jobs" } }),
    ]);
    expect(joined?.finishedAt).toBeNull();
  });

  it("is our own rollback where one of the two says so", () => {
    expect(oneDeploy([sync(0), rollout(3, { ownRollback: true })])[0]?.ownRollback).toBe(true);
    expect(oneDeploy([sync(0, { ownRollback: true }), rollout(3)])[0]?.ownRollback).toBe(true);
  });

  it("loses no sync, invents no change and keeps every rollout that is of none, whatever comes in", () => {
    const one = fc
      .tuple(fc.boolean(), fc.integer({ min: 0, max: 3000 }), fc.constantFrom("cart", "mail"), fc.uuid())
      .map(
        ([isSync, at, service, id]): Change =>
          isSync ? sync(at, { service, id: `s${id}` }) : rollout(at, { service, id: `r${id}` }),
      );
    const changes = fc.array(one, { maxLength: 12 });
    fc.assert(
      fc.property(changes, (all) => {
        const after = oneDeploy(all);
        const known = new Set(all.map(({ id }) => id));
        expect(after.every(({ id }) => known.has(id))).toBe(true);
        expect(after.filter(({ source }) => source === "argocd")).toHaveLength(
          all.filter(({ source }) => source === "argocd").length,
        );
        for (const one of all) {
          if (one.source === "argocd" || after.some(({ id }) => id === one.id)) continue;
          const near = all.some(
            (other) =>
              other.source === "argocd" &&
              other.service === one.service &&
              Math.abs(other.startedAt - one.startedAt) <= 600 * SECOND,
          );
          expect(near).toBe(true);
        }
      }),
    );
  });
});
