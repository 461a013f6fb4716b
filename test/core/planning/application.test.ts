import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../core/config/config.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import { targetsFor } from "../../../core/planning/plan-targets.ts";
import { testConfig } from "../assessment/config.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";

const NOW = T0 + 10 * MINUTE;
const revision = (number: number, version: string, current = false) => ({
  revision: String(number),
  version,
  createdAt: T0 - (20 - number) * 60 * MINUTE,
  current,
});
const rollout = (replaced: Partial<Rollout> = {}): Rollout => ({
  service: "cart",
  workload: { kind: "Deployment", namespace: "production", name: "cart" },
  version: "v1.1.0",
  revision: "4",
  status: "complete",
  replicas: { desired: 2, updated: 2, ready: 2, available: 2 },
  restarts: 0,
  revisions: [revision(3, "v1.0.0"), revision(4, "v1.1.0", true)],
  observedAt: NOW,
  ...replaced,
});
const service = (replaced: Partial<ServiceConfig> = {}): ServiceConfig => ({
  namespace: "production",
  workload: null,
  argocdApplication: null,
  flags: [],
  criticality: "medium",
  revenuePerMinute: null,
  routes: [],
  mode: null,
  ...replaced,
});

describe("a target of an application, by the id of its own history", () => {
  const config = testConfig({ services: { cart: service({ argocdApplication: "cart-prod" }) } });
  const workload = { kind: "Application", namespace: "argocd", name: "cart-prod" };
  const synced = (replaced: Partial<Rollout> = {}) =>
    rollout({
      workload,
      version: "bbbbbbbbbb",
      revision: "12",
      revisions: [revision(10, "9999999999"), revision(11, "aaaaaaaaaa"), revision(12, "bbbbbbbbbb", true)],
      ...replaced,
    });
  const deploy = change({ workload, fromRevision: "11", toRevision: "12" });
  const planned = (one: Change, rollouts: readonly Rollout[], more: readonly Change[] = []) =>
    targetsFor(emptyCase({ changes: [one, ...more], rollouts }), config, [one.id]);

  it("names what Argo CD has, whatever Kubernetes calls the versions", () => {
    expect(planned(deploy, [rollout(), synced()]).targets).toEqual([
      {
        action: "argocd_sync_to_previous",
        service: "cart",
        changeId: "deploy-cart",
        object: workload,
        expected: { version: "bbbbbbbbbb", revision: "12" },
        restore: { version: "aaaaaaaaaa", revision: "11" },
      },
    ]);
  });

  it("expects the newest sync where the same version was synced again", () => {
    const again = synced({
      revision: "13",
      revisions: [...synced().revisions.slice(0, 2), revision(12, "bbbbbbbbbb"), revision(13, "bbbbbbbbbb", true)],
    });
    expect(planned(deploy, [again]).targets[0]?.expected).toEqual({ version: "bbbbbbbbbb", revision: "13" });
    expect(planned(deploy, [again]).targets[0]?.restore).toEqual({ version: "aaaaaaaaaa", revision: "11" });
  });

  it("passes over a version that was itself rolled back", () => {
    const earlier = change({
      id: "earlier",
      workload,
      fromRevision: "10",
      toRevision: "11",
      startedAt: deploy.startedAt - 40 * MINUTE,
    });
    const back = change({
      id: "back",
      workload,
      fromRevision: "11",
      toRevision: "10",
      startedAt: deploy.startedAt - 30 * MINUTE,
      ownRollback: true,
    });
    expect(planned(deploy, [synced()], [earlier, back]).targets[0]?.restore.revision).toBe("10");
  });

  it.each<[string, Change, Rollout, string]>([
    ["a rollout that was made past Argo CD", change(), synced(), "past Argo CD"],
    ["an application that moved on", deploy, synced({ version: "cccccccccc", revision: "13" }), "is at cccccccccc now"],
    ["a sync that its history does not hold", { ...deploy, toRevision: "7" }, synced(), "does not hold"],
  ])("not of %s", (_, one, application, because) => {
    const past = { ...one, workload: one.workload ?? { kind: "Deployment", namespace: "production", name: "cart" } };
    const { targets, obstacles } = planned(past, [rollout(), application]);
    expect(targets).toEqual([]);
    expect(obstacles.join()).toContain(because);
  });

  it("once, where two services of it go back together", () => {
    const both = testConfig({
      services: {
        cart: service({ argocdApplication: "cart-prod" }),
        mail: service({ argocdApplication: "cart-prod" }),
      },
    });
    const mail = { ...deploy, id: "deploy-mail", service: "mail" };
    const file = emptyCase({ changes: [deploy, mail], rollouts: [synced()] });
    expect(targetsFor(file, both, ["deploy-cart", "deploy-mail"]).targets).toHaveLength(1);
  });
});
