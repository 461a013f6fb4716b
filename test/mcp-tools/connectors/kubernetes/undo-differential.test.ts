import { describe, expect, it } from "vitest";
import type { Target, TargetResult } from "../../../../core/model/plan.ts";
import type { Workload } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { templateMarks, withoutHash } from "../../../../mcp-tools/connectors/kubernetes/template.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { realKubectl } from "../../../evals/sandbox/kube/real-kubectl.ts";
import { hasKubectl, KUBECTL, WITHOUT_NULL_TIMESTAMPS } from "../../../real/kubectl.ts";
import { type Setting, startSetting, type WorkloadKind } from "./cluster-setting.ts";

/**
 * Real `kubectl rollout undo` and ours over the same histories, each against a cluster of its own that was seeded
 * equally. They must leave the same template, the same revisions and the same pods, and send the same template, but
 * where a row says that we differ and why.
 */
const never = new AbortController().signal;

interface Row {
  readonly name: string;
  /** Builds the history; what is returned is the state that the plan is made from (default: the last one). */
  readonly history: (setting: Setting, kind: WorkloadKind) => Promise<Workload>;
  /** What the plan would restore, as both are told it; null: kubectl's "previous". */
  readonly toRevision: number | null;
  /** The revision that the plan names where kubectl is told none. */
  readonly restore?: number;
  readonly ours: TargetResult["result"];
  readonly kubectl: "rolled back" | "skipped rollback" | "error";
  readonly kinds?: readonly WorkloadKind[];
  /** Why the outcome is meant to differ from kubectl's. */
  readonly because?: string;
}

const deploys =
  (...images: readonly string[]): Row["history"] =>
  async (setting, kind) => {
    let last: Workload | undefined;
    for (const image of images) last = await setting.deploy(kind, image);
    if (last === undefined) throw new Error("a history has an image");
    return last;
  };

/** After so many deploys, one more with this spec or metadata of the object. */
const then =
  (before: readonly string[], image: string, spec: object, metadata: object = {}): Row["history"] =>
  async (setting, kind) => {
    await deploys(...before)(setting, kind);
    return setting.deploy(kind, image, spec as never, metadata as never);
  };

const DEPLOYMENT = ["Deployment"] as const;

const rows: readonly Row[] = [
  {
    name: "the previous revision",
    history: deploys("web:1", "web:2"),
    toRevision: null,
    restore: 1,
    ours: "done",
    kubectl: "rolled back",
  },
  {
    name: "an older revision by its number",
    history: deploys("web:1", "web:2", "web:3"),
    toRevision: 1,
    ours: "done",
    kubectl: "rolled back",
  },
  {
    name: "a bad revision that never got ready",
    history: deploys("web:1", "web:2", "web:bad"),
    toRevision: 2,
    ours: "done",
    kubectl: "rolled back",
    kinds: ["Deployment", "DaemonSet"],
  },
  {
    name: "a history with gaps, since an old template came back",
    history: deploys("web:1", "web:2", "web:1", "web:3"),
    toRevision: 3,
    ours: "done",
    kubectl: "rolled back",
  },
  {
    name: "the newest of a history with gaps, back to its oldest",
    history: deploys("web:1", "web:2", "web:3", "web:2"),
    toRevision: 1,
    ours: "done",
    kubectl: "rolled back",
  },
  {
    name: "the revision that stands: a no-op",
    history: deploys("web:1", "web:2"),
    toRevision: 2,
    ours: "nothing-to-do",
    kubectl: "skipped rollback",
  },
  {
    name: "a revision that never was",
    history: deploys("web:1", "web:2"),
    toRevision: 99,
    ours: "refused",
    kubectl: "error",
  },
  {
    name: "a revision number that went on with its template",
    history: deploys("web:1", "web:2", "web:1"),
    toRevision: 1,
    ours: "nothing-to-do",
    kubectl: "error",
    kinds: DEPLOYMENT,
    because: "the ReplicaSet's own history tells that revision 1 is what stands now, as revision 3",
  },
  {
    name: "a revision that the history limit dropped",
    history: then(["web:1", "web:2", "web:3"], "web:4", { revisionHistoryLimit: 1 }),
    toRevision: 1,
    ours: "refused",
    kubectl: "error",
  },
  {
    name: "a paused rollout",
    history: then(["web:1", "web:2"], "web:2", { paused: true }),
    toRevision: 1,
    ours: "refused",
    kubectl: "error",
    kinds: DEPLOYMENT,
  },
  {
    name: "a change of the environment alone",
    history: then(["web:1"], "web:1", {
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "web:1", env: [{ name: "MODE", value: "b" }] }] },
      },
    }),
    toRevision: 1,
    ours: "done",
    kubectl: "rolled back",
  },
  {
    name: "a deploy between the plan and the undo",
    history: async (setting, kind) => {
      const planned = await deploys("web:1", "web:2")(setting, kind);
      await setting.deploy(kind, "web:3");
      return planned;
    },
    toRevision: 1,
    ours: "stale",
    kubectl: "rolled back",
    because: "the plan is about revision 2: whoever deployed 3 may have mended it, so nothing is overwritten",
  },
  {
    name: "an undo after an undo",
    history: async (setting, kind) => {
      const planned = await deploys("web:1", "web:2")(setting, kind);
      await setting.deploy(kind, "web:1");
      return planned;
    },
    toRevision: null,
    restore: 1,
    ours: "nothing-to-do",
    kubectl: "rolled back",
    kinds: DEPLOYMENT,
    because: "kubectl's previous revision is then the bad one; ours names the good one, which is listed already",
  },
  {
    name: "an object that Argo CD manages",
    history: then(
      ["web:1"],
      "web:2",
      {},
      { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:default/web" } },
    ),
    toRevision: 1,
    ours: "refused",
    kubectl: "rolled back",
    because: "Argo CD would put the bad version back; the refusal says what to do instead",
  },
];

describe.runIf(hasKubectl())("undo beside kubectl rollout undo", () => {
  const cases = rows.flatMap((row) =>
    (row.kinds ?? (["Deployment", "StatefulSet", "DaemonSet"] as const)).map((kind) => ({ ...row, kind })),
  );

  it.concurrent.each(cases)("$kind: $name", async ({ kind, history, toRevision, restore, ours, kubectl, because }) => {
    await using one = await startSetting();
    await using other = await startSetting();
    using run = realKubectl(one.cluster);
    const [planned] = await Promise.all([history(other, kind), history(one, kind)]);
    const before = await picture(other, kind);
    expect(await picture(one, kind)).toEqual(before);

    const revision = toRevision === null ? [] : [`--to-revision=${toRevision}`];
    const { code, stdout, stderr } = await run(["rollout", "undo", `${kind.toLowerCase()}/web`, ...revision]);
    const executor = kubectlRolloutUndo({ client: other.client, now: Date.now });
    const result = await executor.execute(targetOf(kind, planned, String(restore ?? toRevision)), "plan-1/0", never);

    expect(result).toMatchObject({ result: ours });
    // Before 1.34 kubectl did not know the template that stands for a StatefulSet's or DaemonSet's, and patched.
    const old = (KUBECTL?.minor ?? 0) < WITHOUT_NULL_TIMESTAMPS;
    const blind = old && kind !== "Deployment" && kubectl === "skipped rollback";
    expect(code === 0 ? stdout : "error").toContain(blind ? "rolled back" : kubectl);
    expect(stderr === "").toBe(code === 0);
    const wrote = ours === "done";
    expect(other.cluster.writes.length).toBe(wrote ? 1 : 0);
    if (because !== undefined || blind) {
      expect(await picture(other, kind)).toEqual(before);
      return;
    }
    expect(one.cluster.writes.length).toBe(other.cluster.writes.length);
    const [theirs, mine] = [one.cluster.writes[0], other.cluster.writes[0]];
    expect(mine?.contentType).toBe(theirs?.contentType);
    expect(templateIn(mine?.body)).toEqual(templateIn(theirs?.body));
    if (wrote) await Promise.all([one, other].map((setting) => settled(setting, kind)));
    expect(await picture(other, kind)).toEqual(await picture(one, kind));
  });

  it("kubectl drops annotations and unknown template fields; ours keeps both, and revives the old ReplicaSet", async () => {
    await using one = await startSetting();
    await using other = await startSetting();
    using run = realKubectl(one.cluster);
    for (const setting of [one, other]) {
      await setting.deploy("Deployment", "web:1", { template: withFutureField("web:1") });
      await setting.deploy(
        "Deployment",
        "web:2",
        { template: withFutureField("web:2") },
        { annotations: { "team.example/owner": "checkout" } },
      );
    }
    const planned = await other.workload("Deployment");
    await run(["rollout", "undo", "deployment/web", "--to-revision=1"]);
    await kubectlRolloutUndo({ client: other.client, now: Date.now }).execute(
      targetOf("Deployment", planned, "1"),
      "plan-1/0",
      never,
    );
    const [theirs, mine] = await Promise.all([settled(one, "Deployment"), settled(other, "Deployment")]);
    expect(theirs.object.metadata.annotations).not.toHaveProperty("team.example/owner");
    expect(mine.object.metadata.annotations).toMatchObject({
      "team.example/owner": "checkout",
      "unship.dev/plan": "plan-1/0",
    });
    expect(JSON.stringify(theirs.object.spec.template)).not.toContain("futureField");
    expect(mine.object.spec.template).toMatchObject({ spec: { futureField: { keep: "me" } } });
    expect([theirs.history.length, mine.history.length]).toEqual([3, 2]);
  });

  it("a StatefulSet's pod that is not ready stays after either undo, and ours says how to delete it where it stays so", async () => {
    await using one = await startSetting();
    await using other = await startSetting();
    using run = realKubectl(one.cluster);
    using runOther = realKubectl(other.cluster);
    for (const setting of [one, other]) await deploys("web:1", "web:bad")(setting, "StatefulSet");
    for (const setting of [one, other])
      await setting.until("StatefulSet", () =>
        [...setting.runtime.running.values()].some(({ image }) => image === "web:bad"),
      );
    const planned = await other.workload("StatefulSet");
    await run(["rollout", "undo", "statefulset/web"]);
    const executor = kubectlRolloutUndo({ client: other.client, now: Date.now });
    const result = await executor.execute(targetOf("StatefulSet", planned, "1"), "plan-1/0", never);
    expect(result).toMatchObject({
      result: "done",
      warnings: expect.arrayContaining([expect.stringContaining("kubectl delete pod web-2 -n default")]),
    });
    for (const [setting, kubectl] of [
      [one, run],
      [other, runOther],
    ] as const) {
      await setting.until(
        "StatefulSet",
        ({ object, current }) =>
          current?.version === "1" && object.status.observedGeneration === object.metadata.generation,
      );
      await setting.cluster.idle();
      expect([...setting.runtime.running.values()].map(({ image }) => image)).toContain("web:bad");
      await kubectl(["delete", "pod", "web-2", "--wait=false"]);
      await settled(setting, "StatefulSet");
    }
    expect(await picture(other, "StatefulSet")).toEqual(await picture(one, "StatefulSet"));
  });

  it("a dry run on the server sends what the undo would send, and changes nothing", async () => {
    await using setting = await startSetting();
    await deploys("web:1", "web:2")(setting, "Deployment");
    const before = await picture(setting, "Deployment");
    const executor = kubectlRolloutUndo({ client: setting.client, now: Date.now });
    const target = targetOf("Deployment", await setting.workload("Deployment"), "1");
    expect((await executor.dryRun(target, never)).result).toBe("done");
    await setting.cluster.idle();
    expect(await picture(setting, "Deployment")).toEqual(before);
    expect(setting.cluster.writes.map(({ dryRun, status }) => [dryRun, status])).toEqual([[true, 200]]);
  });
});

function withFutureField(image: string) {
  const containers = [{ name: "web", image }];
  return { metadata: { labels: { app: "web" } }, spec: { containers, futureField: { keep: "me" } } };
}

function targetOf(kind: WorkloadKind, planned: Workload, restore: string): Target {
  const entry = planned.history.find(({ revision, formerly }) => revision === restore || formerly.includes(restore));
  return {
    action: "kubectl_rollout_undo",
    service: "web",
    changeId: "deploy:default/web",
    object: { kind, namespace: "default", name: "web" },
    expected: { version: planned.current?.version ?? "", revision: planned.current?.revision ?? "" },
    restore: { version: entry?.version ?? "1", revision: restore },
  };
}

/** What an undo may leave behind, without what differs from server to server (ids, times, hash-free names). */
async function picture(setting: Setting, kind: WorkloadKind) {
  const { object, history, current } = await setting.workload(kind);
  return {
    template: plain(object.spec.template),
    revision: object.metadata.annotations["deployment.kubernetes.io/revision"],
    generation: object.metadata.generation,
    current: current?.revision,
    history: history.map(({ revision, version, formerly, meta, template }) => ({
      name: meta.name,
      revision,
      version,
      formerly,
      labels: templateMarks(template).labels,
    })),
    pods: [...setting.runtime.running.values()].map(({ image }) => image).sort(),
  };
}

/** Waits until what was written has a revision and its pods run. */
function settled(setting: Setting, kind: WorkloadKind): Promise<Workload> {
  return setting.until(kind, ({ object, history, current }) => {
    const { status, spec, metadata } = object;
    const wanted = kind === "DaemonSet" ? status.desiredNumberScheduled : spec.replicas;
    const updated = kind === "DaemonSet" ? status.updatedNumberScheduled : status.updatedReplicas;
    const ready = kind === "DaemonSet" ? status.numberReady : status.readyReplicas;
    const all = kind === "DaemonSet" ? wanted : status.replicas;
    return (
      current !== null &&
      current === history.at(-1) &&
      status.observedGeneration >= metadata.generation &&
      updated === wanted &&
      ready === wanted &&
      all === wanted &&
      setting.runtime.running.size === wanted
    );
  });
}

/** The template that a patch sends: kubectl's own, or ours without the lock and the marks. */
function templateIn(body: unknown): unknown {
  if (body === undefined) return undefined;
  if (!Array.isArray(body)) return plain((body as { spec: { template: Record<string, unknown> } }).spec.template);
  const operation = (body as { op: string; path: string; value: Record<string, unknown> }[]).find(
    ({ path }) => path === "/spec/template",
  );
  expect(operation?.op).toBe("replace");
  return plain(withoutHash(operation?.value ?? {}));
}

/** Go writes an empty creationTimestamp as null. */
function plain(template: unknown): unknown {
  return JSON.parse(JSON.stringify(template, (key, value) => (key === "creationTimestamp" ? undefined : value)));
}
