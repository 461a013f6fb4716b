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
      { ...sync(0), from: "1.4.0", to: "1.5.0", finishedAt: T0 + 63 * SECOND, aliases: ["rollout:3"] },
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

/** What a source that knows versions alone tells: a pipeline, an Argo CD that names releases, a cluster. */
const told = (source: string, at: number, more: Partial<Change> = {}): Change => ({
  id: `${source}:${at}`,
  kind: "deploy",
  service: "cart",
  from: "v1",
  to: "v2",
  startedAt: T0 + at * SECOND,
  finishedAt: T0 + (at + 60) * SECOND,
  source,
  reversible: true,
  ...more,
});
const BACK = { from: "v2", to: "v1" };
const inCluster = { workload: { kind: "Deployment", namespace: "shop", name: "cart" }, fromRevision: "3" };

describe("a deploy that two sources tell of with the same versions", () => {
  it.each<[string, readonly Change[], readonly string[]]>([
    ["is one", [told("argocd", 0), told("kubernetes", 4)], ["argocd:0"]],
    ["whichever comes first", [told("kubernetes", 4), told("argocd", 0)], ["argocd:0"]],
    ["has the id of the one that can be undone", [told("ci", 0), told("kubernetes", 4, inCluster)], ["kubernetes:4"]],
    [
      "which is the reversible one, whatever else is known of the other",
      [told("ci", 0, { reversible: false, ...inCluster }), told("kubernetes", 4)],
      ["kubernetes:4"],
    ],
    ["is one as long as nobody knows its end", [told("ci", 0, { finishedAt: null }), told("kubernetes", 40)], ["ci:0"]],
    [
      "is one where the pipeline was done before a pod moved",
      [told("ci", 0, { finishedAt: T0 }), told("kubernetes", 40)],
      ["ci:0"],
    ],
    ["is one of three sources", [told("ci", 0), told("argocd", 2), told("kubernetes", 4)], ["ci:0"]],
    [
      "is two at two services",
      [told("argocd", 0), told("kubernetes", 4, { service: "mail" })],
      ["argocd:0", "kubernetes:4"],
    ],
    [
      "is two with other versions",
      [told("argocd", 0), told("kubernetes", 4, { to: "v3" })],
      ["argocd:0", "kubernetes:4"],
    ],
    ["is two where one source tells of both", [told("argocd", 0), told("argocd", 4)], ["argocd:0", "argocd:4"]],
    ["is two an hour apart", [told("argocd", 0), told("kubernetes", 3600)], ["argocd:0", "kubernetes:3600"]],
    [
      "is two with a way back in between",
      [told("argocd", 0), told("argocd", 100, BACK), told("kubernetes", 200)],
      ["argocd:0", "argocd:100", "kubernetes:200"],
    ],
    [
      "is each time one, where it is made again after a way back",
      [0, 200].flatMap((at) => [told("argocd", at), told("kubernetes", at + 4)]).concat(told("argocd", 100, BACK)),
      ["argocd:0", "argocd:200", "argocd:100"],
    ],
    [
      "is two in two environments",
      [told("ci", 0, { environment: "eu" }), told("kubernetes", 4, { environment: "us" })],
      ["ci:0", "kubernetes:4"],
    ],
    [
      "is two of two workloads",
      [
        told("rollouts", 0, { workload: { kind: "Rollout", namespace: "shop", name: "cart" } }),
        told("kubernetes", 4, inCluster),
      ],
      ["rollouts:0", "kubernetes:4"],
    ],
    [
      "is two where it is a change of configuration",
      [told("argocd", 0), told("kubernetes", 4, { kind: "config" })],
      ["argocd:0", "kubernetes:4"],
    ],
  ])("%s", (_, changes, expected) => {
    expect(ids(changes)).toEqual(expected);
  });

  it("has the other ids as aliases, the earlier start, the latest end that is known, and what either knows", () => {
    const one = told("argocd", 0, { author: "ana", finishedAt: null });
    const other = told("kubernetes", 4, { ...inCluster, message: "faster totals" });
    expect(oneDeploy([one, other])).toEqual([
      { ...other, author: "ana", startedAt: one.startedAt, aliases: ["argocd:0"] },
    ]);
  });

  it("whatever sources tell of whichever deploys and ways back: each deploy once, and none lost", () => {
    const sources = fc.subarray(["argocd", "kubernetes", "ci"], { minLength: 1 });
    // A service goes to and fro between two versions; each move is told by some of the sources, each with a lag of its own.
    const story = fc.array(
      fc.record({
        gap: fc.integer({ min: 60, max: 900 }),
        by: sources,
        lags: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 3, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(story, (moves) => {
        let at = 0;
        const all = moves.map(({ gap, by, lags }, index) => {
          at += gap;
          const way = index % 2 === 0 ? {} : BACK;
          return by.map((source, place) => told(source, at + (lags[place] ?? 0), { ...way, finishedAt: null }));
        });
        const after = oneDeploy(all.flat());
        expect(after.map(({ id, aliases = [] }) => [id, ...aliases].sort())).toEqual(
          expect.arrayContaining(all.map((one) => one.map(({ id }) => id).sort())),
        );
        expect(after).toHaveLength(moves.length);
        expect(oneDeploy(after)).toEqual(after);
      }),
    );
  });
});
