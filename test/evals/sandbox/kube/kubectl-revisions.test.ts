import { describe, expect, it } from "vitest";
import { hasKubectl, KUBECTL, WITHOUT_NULL_TIMESTAMPS } from "../../../real/kubectl.ts";
import { daemonSet, deployment, statefulSet } from "./manifests.ts";
import {
  deploy,
  eventually,
  fieldOf,
  imageOf,
  imagesRunning,
  revisionsOf,
  rolledOut,
  type Setting,
  withCluster,
} from "./setting.ts";

const KINDS = [
  ["StatefulSet", "statefulset/web", statefulSet],
  ["DaemonSet", "daemonset/web", daemonSet],
] as const;
type Make = (typeof KINDS)[number][2];

async function history({ cluster, kubectl }: Setting, what: string, make: Make, images: readonly string[], spec = {}) {
  const [first = "", ...later] = images;
  await cluster.apply(make(first, spec));
  await rolledOut(kubectl, what);
  for (const image of later) await deploy(kubectl, image, what);
}

/** An older kubectl compares a template that says `creationTimestamp: null` with one that does not, and patches. */
const KNOWS_PRESENT = (KUBECTL?.minor ?? 0) >= WITHOUT_NULL_TIMESTAMPS;

const real = describe.runIf(hasKubectl());

real.each(KINDS)("kubectl rollout of a %s", (_, what, make) => {
  const [kind = ""] = what.split("/");

  it("set image replaces every pod and adds a revision", () =>
    withCluster(async (setting) => {
      await history(setting, what, make, ["shop/web:1", "shop/web:2"]);
      expect(imagesRunning(setting.runtime)).toEqual(["shop/web:2"]);
      expect(await revisionsOf(setting.kubectl, what)).toEqual([1, 2]);
      const { stdout } = await setting.kubectl(["rollout", "history", what, "--revision=1"]);
      expect(stdout).toMatch(/Image:\s+shop\/web:1\n/);
    }));

  it("undo goes back to the previous revision, which is renumbered to the newest", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl, runtime } = setting;
      await history(setting, what, make, ["shop/web:1", "shop/web:2"]);
      expect((await kubectl(["rollout", "undo", what])).stdout).toBe(`${kind}.apps/web rolled back\n`);
      await rolledOut(kubectl, what);
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
      expect(await revisionsOf(kubectl, what)).toEqual([2, 3]);
      expect(cluster.writes.at(-1)?.body).toMatchObject({ spec: { template: { $patch: "replace" } } });
    }));

  it("undo --to-revision takes the one asked for, skips the present one and refuses a missing one", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, what, make, ["shop/web:1", "shop/web:2", "shop/web:3"]);
      await kubectl(["rollout", "undo", what, "--to-revision=1"]);
      await rolledOut(kubectl, what);
      expect(await imageOf(kubectl, `${kind} web`)).toBe("shop/web:1");
      const skipped = await kubectl(["rollout", "undo", what, "--to-revision=4"]);
      expect(skipped.stdout).toContain(
        KNOWS_PRESENT ? "skipped rollback (current template already matches revision 4)" : "rolled back",
      );
      const missing = await kubectl(["rollout", "undo", what, "--to-revision=1"]);
      expect(missing).toMatchObject({ code: 1, stderr: "error: unable to find specified revision 1 in history\n" });
    }));

  it("undo --dry-run=server changes nothing", () =>
    withCluster(async (setting) => {
      await history(setting, what, make, ["shop/web:1", "shop/web:2"]);
      const { stdout } = await setting.kubectl(["rollout", "undo", what, "--dry-run=server"]);
      expect(stdout).toBe(`${kind}.apps/web rolled back (server dry run)\n`);
      expect(await imageOf(setting.kubectl, `${kind} web`)).toBe("shop/web:2");
    }));

  it("restart makes new pods and a new revision", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, what, make, ["shop/web:1"]);
      const before = await fieldOf(kubectl, "pods", ".items[*].metadata.uid");
      await kubectl(["rollout", "restart", what]);
      await rolledOut(kubectl, what);
      const after = await fieldOf(kubectl, "pods", ".items[*].metadata.uid");
      expect(after.split(" ").filter((uid) => before.includes(uid))).toEqual([]);
      expect(await revisionsOf(kubectl, what)).toEqual([1, 2]);
    }));

  it("history keeps no more revisions than its limit beside the live one", () =>
    withCluster(async (setting) => {
      const images = ["shop/web:1", "shop/web:2", "shop/web:3", "shop/web:4"];
      await history(setting, what, make, images, { revisionHistoryLimit: 1 });
      await eventually(async () => expect(await revisionsOf(setting.kubectl, what)).toEqual([3, 4]));
    }));
});

real("a StatefulSet", () => {
  it("starts its pods in order, each after the one before is ready", () =>
    withCluster(async ({ cluster, runtime, kubectl }) => {
      runtime.readyWhen(({ name }) => name !== "web-1");
      await cluster.apply(statefulSet("shop/web:1"));
      await eventually(() => expect([...runtime.running.keys()]).toEqual(["web-0", "web-1"]));
      await cluster.idle();
      expect([...runtime.running.keys()]).toEqual(["web-0", "web-1"]);
      runtime.readyWhen(() => true);
      await rolledOut(kubectl, "statefulset/web");
      expect(runtime.started.map(({ name }) => name)).toEqual(["web-0", "web-1", "web-2"]);
    }));

  it("starts them all at once where its policy is Parallel", () =>
    withCluster(async ({ cluster, runtime }) => {
      runtime.readyWhen(() => false);
      await cluster.apply(statefulSet("shop/web:1", { podManagementPolicy: "Parallel" }));
      await eventually(() => expect(runtime.running.size).toBe(3));
    }));

  it("keeps a broken pod after an undo until somebody deletes it", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl, runtime } = setting;
      await history(setting, "statefulset/web", statefulSet, ["shop/web:1"]);
      await kubectl(["set", "image", "statefulset/web", "web=shop/web:bad"]);
      await eventually(() => expect(runtime.running.get("web-2")?.image).toBe("shop/web:bad"));
      await kubectl(["rollout", "undo", "statefulset/web"]);
      await cluster.idle();
      expect(await imageOf(kubectl, "statefulset web")).toBe("shop/web:1");
      expect(runtime.running.get("web-2")?.image).toBe("shop/web:bad");
      await kubectl(["delete", "pod", "web-2"]);
      await rolledOut(kubectl, "statefulset/web");
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
    }));

  it("updates only ordinals from its partition on", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, "statefulset/web", statefulSet, ["shop/web:1"], {
        updateStrategy: { rollingUpdate: { partition: 2 } },
      });
      await deploy(kubectl, "shop/web:2", "statefulset/web");
      const images = Object.fromEntries([...runtime.running].map(([name, { image }]) => [name, image]));
      expect(images).toEqual({ "web-0": "shop/web:1", "web-1": "shop/web:1", "web-2": "shop/web:2" });
    }));
});

real("update strategies", () => {
  it.each(KINDS)("a %s with OnDelete changes a pod only when somebody deletes it", (_, what, make) =>
    withCluster(async (setting) => {
      const { cluster, kubectl, runtime } = setting;
      await cluster.apply(make("shop/web:1", { updateStrategy: { type: "OnDelete" } }));
      await cluster.idle();
      const pods = [...runtime.running.keys()].sort();
      await kubectl(["set", "image", what, "web=shop/web:2"]);
      await cluster.idle();
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
      await kubectl(["delete", "pod", pods.at(-1) ?? ""]);
      await eventually(() => expect(imagesRunning(runtime)).toContain("shop/web:2"));
      expect(runtime.running.size).toBe(pods.length);
    }),
  );

  it("a DaemonSet with maxSurge keeps the old pod until the new one is available", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      const spec = { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } };
      await history(setting, "daemonset/web", daemonSet, ["shop/web:1"], spec);
      await kubectl(["set", "image", "daemonset/web", "web=shop/web:bad"]);
      await eventually(() => expect(imagesRunning(runtime)).toEqual(["shop/web:1", "shop/web:bad"]));
      runtime.readyWhen(() => true);
      await rolledOut(kubectl, "daemonset/web");
      await eventually(() => expect(imagesRunning(runtime)).toEqual(["shop/web:bad"]));
    }));

  it("a DaemonSet that selects another node has no pod", () =>
    withCluster(async ({ cluster, kubectl, runtime }) => {
      const manifest = daemonSet("shop/web:1");
      const { template } = manifest.spec;
      const elsewhere = { ...template, spec: { ...template.spec, nodeSelector: { disk: "ssd" } } };
      await cluster.apply({ ...manifest, spec: { ...manifest.spec, template: elsewhere } });
      await cluster.idle();
      expect(runtime.started).toEqual([]);
      const { stdout } = await kubectl(["get", "daemonset", "web", "--no-headers"]);
      expect(stdout).toMatch(/^web +0 +0 +0 +0 +0 +disk=ssd /);
    }));

  it("a pod counts as available only after minReadySeconds", () =>
    withCluster(async ({ cluster, kubectl, runtime }) => {
      await cluster.apply(deployment("shop/web:1", { minReadySeconds: 3600 }));
      const counts = async () => {
        const { readyReplicas, availableReplicas = 0 } = JSON.parse(
          await fieldOf(kubectl, "deployment web", ".status"),
        );
        return { readyReplicas, availableReplicas };
      };
      await eventually(async () => expect(await counts()).toEqual({ readyReplicas: 3, availableReplicas: 0 }));
      // Their age is what they lack: asked for one that they have, they count, without a pod made anew.
      await kubectl(["patch", "deployment", "web", "--patch", JSON.stringify({ spec: { minReadySeconds: 1 } })]);
      await eventually(async () => expect(await counts()).toEqual({ readyReplicas: 3, availableReplicas: 3 }));
      expect(runtime.started).toHaveLength(3);
    }));
});
