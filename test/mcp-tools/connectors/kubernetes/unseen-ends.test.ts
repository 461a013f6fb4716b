import { describe, expect, it } from "vitest";
import { oneDeploy } from "../../../../core/correlation/one-deploy.ts";
import type { Change } from "../../../../core/model/change.ts";
import { rfc3339 } from "../../../../core/model/time.ts";
import { timelineSection } from "../../../../knowledge/postmortem/timeline.ts";
import { changeView } from "../../../../mcp-tools/change-view.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { type Inventory, readInventory } from "../../../../mcp-tools/connectors/kubernetes/inventory.ts";
import { createTimeline, type Timeline } from "../../../../mcp-tools/connectors/kubernetes/timeline.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { incident } from "../../../knowledge/incidents.ts";
import { at, deployment, ms, replicaSet } from "./objects.ts";

const progressing = (name: string, minute: number) => ({
  conditions: [
    {
      type: "Progressing",
      status: "True",
      reason: "NewReplicaSetAvailable",
      message: `ReplicaSet "${name}" has successfully progressed.`,
      lastUpdateTime: at(minute),
    },
  ],
});

async function inventoryOf(objects: readonly StoredObject[]): Promise<Inventory> {
  await using api = await fakeKubernetesApi(objects);
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  return await readInventory(client, ["shop"], new AbortController().signal, { events: true });
}
const stagesOf = (timeline: Timeline, inventory: Inventory) =>
  inventory.workloads.flatMap((workload) => timeline.stages(workload, inventory, ms(60)));

describe("S9, S15: the end of a rollout that was replaced", () => {
  const old = [replicaSet("shop/cart:1.4.0", "1", 0), replicaSet("shop/cart:1.5.0", "2", 20)];
  const rows = [
    ["soon after it was complete", 24],
    ["long after", 50],
  ] as const;
  it.each(rows)("is known to who saw it, and to nobody else: replaced %s", async (_, replaced) => {
    const before = await inventoryOf([
      deployment("shop/cart:1.5.0", "2", { status: progressing("cart-150", 23) }),
      ...old,
    ]);
    const after = await inventoryOf([
      deployment("shop/cart:1.6.0", "3", { status: progressing("cart-160", replaced + 2) }),
      ...old,
      replicaSet("shop/cart:1.6.0", "3", replaced),
    ]);
    const witness = createTimeline();
    stagesOf(witness, before);
    const seen = stagesOf(witness, after);
    const late = createTimeline();
    const told = [stagesOf(late, after), stagesOf(late, after)];
    expect(seen.map(({ endUnseen }) => endUnseen)).toEqual([true, false, false]);
    expect(seen[1]?.finishedAt).toBe(ms(23));
    for (const one of told) {
      expect(one.map(({ endUnseen }) => endUnseen)).toEqual([true, true, false]);
      expect(one[1]?.finishedAt).toBe(Math.min(ms(replaced), ms(30)));
      expect(one[1]?.finishedAt ?? 0).toBeGreaterThanOrEqual(seen[1]?.finishedAt ?? 0);
    }
  });

  const [change] = incident.changes.filter(({ id }) => id === incident.decision?.culprit?.changeId);
  if (change === undefined || change.finishedAt === null) throw new Error("the incident's culprit has an end");
  const end = change.finishedAt;
  const unseen: Change = { ...change, endUnseen: true };

  it("is told as a bound by tools, and as what nobody saw in a postmortem", () => {
    expect(changeView(unseen).finished_at).toBe(`by ${rfc3339(end)}`);
    expect(changeView(change).finished_at).toBe(rfc3339(end));
    const page = (one: Change) => timelineSection({ ...incident, changes: [one] }, []);
    expect(page(unseen)).toContain("change had finished (nobody saw when)");
    expect(page(unseen)).not.toContain("change finished");
    expect(page(change)).toContain("change finished");
  });

  it("stays a bound where several sources tell of the deploy, unless one of them saw that end", () => {
    const other = { ...change, id: "other", source: "argocd", startedAt: change.startedAt + 1000 };
    const both = (one: Change, two: Change) =>
      oneDeploy([one, two]).map(({ finishedAt, endUnseen }) => [finishedAt, endUnseen]);
    expect(both(unseen, { ...other, endUnseen: true })).toEqual([[end, true]]);
    expect(both(unseen, other)).toEqual([[end, undefined]]);
    expect(both(unseen, { ...other, finishedAt: end + 1000 })).toEqual([[end + 1000, undefined]]);
  });
});
