import { describe, expect, it } from "vitest";
import type { Change } from "../../../../core/model/change.ts";
import { badVersions, knownGood } from "../../../../core/planning/known-good.ts";
import { kubernetesChanges } from "../../../../mcp-tools/connectors/kubernetes/changes.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import type { Workload } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { PodTemplate, WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { kubernetesRollouts } from "../../../../mcp-tools/connectors/kubernetes/rollouts.ts";
import { fingerprint } from "../../../../mcp-tools/connectors/kubernetes/template.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { fakeKubernetesApi } from "../../../fakes/fake-kubernetes-api.ts";
import { type Setting, startSetting, type WorkloadKind } from "./cluster-setting.ts";
import { deployment, ms, replicaSet, template, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const MINUTE = 60_000;
const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/** Somebody's `kubectl set image`: the annotations stay as they were. */
async function setImage({ client, until }: Setting, kind: WorkloadKind, version: string) {
  const { spec } = await client.get(kind, "default", "web", WorkloadObject, never);
  const pods = PodTemplate.parse(structuredClone(spec.template)) as { spec: { containers: [{ image: string }] } };
  pods.spec.containers[0].image = `shop/web:${version}`;
  const body = [{ op: "replace", path: "/spec/template", value: pods }];
  const patch = { contentType: "application/json-patch+json", body } as const;
  await client.patch(kind, "default", "web", patch, WorkloadObject, { dryRun: false }, never);
  return until(kind, (found) => stands(found, version));
}

const stands = ({ current, history }: Workload, version: string) =>
  current?.version === version && current === history.at(-1);

async function undo(setting: Setting, kind: WorkloadKind, to: string, key: string, now: () => number) {
  const { current, history } = await setting.workload(kind);
  const placeOf = (version: string | undefined) => {
    const entry = history.find((one) => one.version === version);
    return { version: entry?.version ?? "", revision: entry?.revision ?? "" };
  };
  const target = undoTarget({
    object: { kind, namespace: "default", name: "web" },
    expected: placeOf(current?.version),
    restore: placeOf(to),
  });
  const { result } = await kubectlRolloutUndo({ client: setting.client, now }).execute(target, key, never);
  expect(result).toBe("done");
  await setting.until(kind, (found) => stands(found, to));
}

const told = (changes: readonly Change[]) =>
  changes.map(({ from, to, ownRollback }) => `${from}→${to}${ownRollback === true ? " ours" : ""}`);

describe("our own rollbacks, after what people deployed since", () => {
  /** "2.0": somebody deploys it. "undo 1.0": we go back to it. */
  const COURSES: readonly [string, readonly string[], readonly string[], readonly string[]][] = [
    ["one later deploy", ["1.0", "2.0", "undo 1.0", "3.0"], ["1.0→2.0", "2.0→1.0 ours", "1.0→3.0"], ["2.0"]],
    [
      "a second rollback to the same version, and a deploy after it",
      ["1.0", "2.0", "undo 1.0", "3.0", "undo 1.0", "4.0"],
      ["1.0→2.0", "2.0→1.0 ours", "1.0→3.0", "3.0→1.0 ours", "1.0→4.0"],
      ["2.0", "3.0"],
    ],
    [
      "somebody brings a version back that stood before, and we take that away too",
      ["0.9", "1.0", "2.0", "undo 1.0", "0.9", "undo 1.0", "3.0"],
      ["2.0→1.0 ours", "0.9→1.0 ours", "1.0→3.0"],
      ["0.9", "2.0"],
    ],
  ];
  it.each(KINDS.flatMap((kind) => COURSES.map((course) => [kind, ...course] as const)))(
    "%s: %s",
    async (kind, _, steps, expected, bad) => {
      let passed = 0;
      const now = () => Date.now() + passed;
      await using setting = await startSetting({ now });
      const options = { client: setting.client, namespaces: ["*"], services: [], now };
      for (const [index, step] of steps.entries()) {
        if (index === 0) await setting.deploy(kind, `shop/web:${step}`);
        else if (step.startsWith("undo ")) await undo(setting, kind, step.slice(5), `plan-${index}:0`, now);
        else await setImage(setting, kind, step);
        passed += index === 0 ? 600 * MINUTE : 61 * MINUTE;
      }
      const changes = await kubernetesChanges(options).changes({ from: 0, to: now() }, never);
      expect(told(changes)).toEqual(expect.arrayContaining([...expected]));
      expect([...badVersions("web", changes)].sort()).toEqual(bad);
      const calledOurs = changes.filter(({ message }) => message?.startsWith("unship") === true);
      expect(calledOurs.filter(({ ownRollback }) => ownRollback !== true)).toEqual([]);
      const [rollout] = await kubernetesRollouts(options).rollouts(never);
      const last = changes.at(-1);
      if (rollout === undefined || last === undefined) throw new Error("nothing was read");
      expect(knownGood(last, rollout, badVersions("web", changes), 10 * MINUTE)).toMatchObject({ version: "1.0" });
      const undone = rollout.revisions.find(({ version }) => version === last.to);
      expect(undone?.reason).toBeUndefined();
    },
    60_000,
  );

  it.each(KINDS)("%s: what somebody deploys after it is not told as ours where a plan is stale", async (kind) => {
    await using setting = await startSetting();
    await setting.deploy(kind, "shop/web:1.0");
    await setImage(setting, kind, "2.0");
    await undo(setting, kind, "1.0", "plan-1:0", Date.now);
    const target = undoTarget({
      object: { kind, namespace: "default", name: "web" },
      expected: { version: "2.0", revision: "2" },
    });
    const executor = kubectlRolloutUndo({ client: setting.client, now: Date.now });
    expect((await executor.inspect(target, never)).changedBy).toContain("unship rolled back 2.0");
    await setImage(setting, kind, "3.0");
    expect((await executor.inspect(target, never)).changedBy).toBe("it is at revision 4 (3.0)");
    await setImage(setting, kind, "1.0");
    expect((await executor.inspect(target, never)).changedBy).toBe("it is at revision 5 (1.0)");
  });
});

describe("our own rollback of which the answer was lost", () => {
  it.each([
    ["Deployment", "done"],
    ["StatefulSet", "unknown"],
    ["DaemonSet", "unknown"],
  ] as const)(
    "%s: after somebody replaced the whole object it is %s, and never called undone",
    async (kind, answered) => {
      await using setting = await startSetting();
      await setting.deploy(kind, "shop/web:1.0");
      await setting.deploy(kind, "shop/web:2.0");
      const target = undoTarget({
        object: { kind, namespace: "default", name: "web" },
        expected: { version: "2.0", revision: "2" },
        restore: { version: "1.0", revision: "1" },
      });
      const executor = kubectlRolloutUndo({ client: setting.client, now: Date.now });
      expect(await executor.execute(target, "plan-1:0", never)).toMatchObject({ result: "done" });
      await setting.until(kind, (found) => stands(found, "1.0"));
      await setting.deploy(kind, "shop/web:3.0");
      const { metadata } = (await setting.workload(kind)).object;
      expect(metadata.annotations).not.toHaveProperty("unship.dev/plan");
      const answer = await executor.reconcile(target, "plan-1:0", never);
      expect(answer).toMatchObject({ result: answered });
      expect(answer.detail).not.toContain("not done");
    },
  );
});

describe("a mark that was copied with a manifest", () => {
  const pods = template("shop/cart:1.5.0");
  const markOf = (more: object) => ({
    "unship.dev/plan": "plan-1:0",
    "unship.dev/rollback": JSON.stringify({
      revision: "3",
      from: "2",
      to: "1",
      template: fingerprint(pods),
      at: ms(20),
      ...more,
    }),
    "kubernetes.io/change-cause": "unship rolled back 1.4.0 to revision 1 (1.5.0), plan plan-1:0",
  });
  it.each<[string, object, boolean]>([
    ["is ours on the object that it was written to", { uid: "deployments/shop/cart" }, true],
    ["is ours where it was written before marks named their object", {}, true],
    ["is not ours on another object", { uid: "another" }, false],
    ["is not ours at another revision", { uid: "deployments/shop/cart", revision: "2" }, false],
    ["is not ours over another template", { uid: "deployments/shop/cart", template: "0".repeat(64) }, false],
  ])("%s", async (_, more, ours) => {
    const annotations = markOf(more);
    await using api = await fakeKubernetesApi([
      deployment("shop/cart:1.5.0", "3", { metadata: { annotations } }),
      replicaSet("shop/cart:1.4.0", "2", 10),
      replicaSet("shop/cart:1.5.0", "3", 20, { annotations }),
    ]);
    const client = kubeClient({ server: api.url, namespace: "default", http: {} });
    const options = { client, namespaces: ["shop"], services: [], now: () => ms(30) };
    const change = (await kubernetesChanges(options).changes({ from: 0, to: ms(30) }, never)).at(-1);
    expect(change?.ownRollback ?? false).toBe(ours);
    expect(change?.author === "unship").toBe(ours);
    expect(change?.message !== undefined).toBe(ours);
  });
});
