import { describe, expect, it } from "vitest";
import { hasKubectl } from "../../../real/kubectl.ts";
import {
  deploy,
  eventually,
  fieldOf,
  history,
  imageOf,
  imagesRunning,
  revisionsOf,
  rolledOut,
  withCluster,
} from "./setting.ts";

describe.runIf(hasKubectl())("kubectl rollout of a Deployment", () => {
  it("set image replaces every pod, within the surge and never below what must be available", () =>
    withCluster(async (setting) => {
      const { cluster, runtime, kubectl } = setting;
      await history(setting, ["shop/web:1"], { replicas: 4 });
      const ready: number[] = [];
      cluster.onEndpointsChange(() => ready.push(cluster.readyEndpoints("default", { app: "web" }).length));
      await deploy(kubectl, "shop/web:2");
      expect(imagesRunning(runtime)).toEqual(["shop/web:2"]);
      expect(runtime.running.size).toBe(4);
      expect(Math.min(...ready)).toBeGreaterThanOrEqual(3);
      expect(Math.max(...ready)).toBeLessThanOrEqual(5);
    }));

  it("Recreate starts no new pod before the last old one has ended", () =>
    withCluster(async (setting) => {
      const { runtime, kubectl } = setting;
      await history(setting, ["shop/web:1"], { strategy: { type: "Recreate" } });
      const stopping = Promise.withResolvers<void>();
      runtime.stopAfter(() => stopping.promise);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:2"]);
      await eventually(async () => {
        const { stdout } = await kubectl(["get", "pods", "--no-headers"]);
        expect(stdout.match(/Terminating/g)).toHaveLength(3);
      });
      expect(runtime.started.map(({ image }) => image)).not.toContain("shop/web:2");
      stopping.resolve();
      await rolledOut(kubectl);
      expect(imagesRunning(runtime)).toEqual(["shop/web:2"]);
    }));

  it("status waits for pods that become ready later", () =>
    withCluster(async (setting) => {
      const { runtime, kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:bad"]);
      const text = await kubectl.until(["rollout", "status", "deployment/web"], (told) => {
        if (told.includes("Waiting for deployment")) runtime.readyWhen(() => true);
        return told.includes("successfully");
      });
      expect(text).toMatch(/Waiting for deployment "web" rollout to finish/);
      expect(text).toContain('deployment "web" successfully rolled out');
    }));

  it("status fails once the progress deadline has passed, and the old pods go on serving", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl } = setting;
      await history(setting, ["shop/web:1"], { progressDeadlineSeconds: 1 });
      await kubectl(["set", "image", "deployment/web", "web=shop/web:bad"]);
      const { code, stderr } = await kubectl(["rollout", "status", "deployment/web"]);
      expect(code).toBe(1);
      expect(stderr).toBe('error: deployment "web" exceeded its progress deadline\n');
      expect(cluster.readyEndpoints("default", { app: "web" })).toHaveLength(3);
      const progressing = '.status.conditions[?(@.type=="Progressing")]';
      expect(await fieldOf(kubectl, "deployment web", `${progressing}.reason`)).toBe("ProgressDeadlineExceeded");
      expect(await fieldOf(kubectl, "deployment web", `${progressing}.status`)).toBe("False");
    }));

  it("undo goes back to the previous revision, whose ReplicaSet is used again and renumbered", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      const undone = await kubectl(["rollout", "undo", "deployment/web"]);
      expect(undone.stdout).toBe("deployment.apps/web rolled back\n");
      await rolledOut(kubectl);
      expect(await imageOf(kubectl)).toBe("shop/web:1");
      expect(await revisionsOf(kubectl)).toEqual([2, 3]);
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
      const sets = await fieldOf(kubectl, "rs", ".items[*].metadata.annotations");
      expect(sets.split(" ")).toHaveLength(2);
      expect(sets).toContain('"deployment.kubernetes.io/revision-history":"1"');
    }));

  it("undo after undo returns to the bad revision, as it does on a real cluster", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2"]);
      for (const expected of ["shop/web:1", "shop/web:2"]) {
        await setting.kubectl(["rollout", "undo", "deployment/web"]);
        await rolledOut(setting.kubectl);
        expect(await imageOf(setting.kubectl)).toBe(expected);
      }
      expect(await revisionsOf(setting.kubectl)).toEqual([3, 4]);
    }));

  it("undo --to-revision takes the revision that was asked for", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2", "shop/web:3"]);
      await setting.kubectl(["rollout", "undo", "deployment/web", "--to-revision=1"]);
      await rolledOut(setting.kubectl);
      expect(await imageOf(setting.kubectl)).toBe("shop/web:1");
      expect(await revisionsOf(setting.kubectl)).toEqual([2, 3, 4]);
    }));

  it("undo --dry-run=server changes nothing and is recorded as a dry write", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      const before = await fieldOf(kubectl, "deployment web", ".metadata.resourceVersion");
      const { stdout } = await kubectl(["rollout", "undo", "deployment/web", "--dry-run=server"]);
      expect(stdout).toBe("deployment.apps/web rolled back (server dry run)\n");
      expect(await fieldOf(kubectl, "deployment web", ".metadata.resourceVersion")).toBe(before);
      expect(cluster.writes.at(-1)).toMatchObject({ method: "PATCH", dryRun: true, status: 200 });
    }));

  it.each([
    [
      "the present revision is skipped",
      ["--to-revision=2"],
      0,
      "deployment.apps/web skipped rollback (current template already matches revision 2)\n",
      "",
    ],
    [
      "a missing revision is refused",
      ["--to-revision=9"],
      1,
      "",
      "error: unable to find specified revision 9 in history\n",
    ],
  ])("undo: %s, without a write", (_, args, code, stdout, stderr) =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2"]);
      const before = setting.cluster.writes.length;
      expect(await setting.kubectl(["rollout", "undo", "deployment/web", ...args])).toEqual({ code, stdout, stderr });
      expect(setting.cluster.writes).toHaveLength(before);
    }),
  );

  it("undo of the first revision finds no history", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1"]);
      const { code, stderr } = await setting.kubectl(["rollout", "undo", "deployment/web"]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: no rollout history found for deployment "web"\n' });
    }));

  it("undo of a paused Deployment is refused until it is resumed", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      expect((await kubectl(["rollout", "pause", "deployment/web"])).stdout).toBe("deployment.apps/web paused\n");
      const { code, stderr } = await kubectl(["rollout", "undo", "deployment/web"]);
      expect(code).toBe(1);
      expect(stderr).toContain("you cannot rollback a paused deployment");
      await kubectl(["rollout", "resume", "deployment/web"]);
      expect(await kubectl(["rollout", "undo", "deployment/web"])).toMatchObject({ code: 0 });
    }));

  it("a paused Deployment takes a new template and rolls it out when it is resumed", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["rollout", "pause", "deployment/web"]);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:2"]);
      await cluster.idle();
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
      expect(await fieldOf(kubectl, "deployment web", '.status.conditions[?(@.type=="Progressing")].reason')).toBe(
        "DeploymentPaused",
      );
      await kubectl(["rollout", "resume", "deployment/web"]);
      await rolledOut(kubectl);
      expect(imagesRunning(runtime)).toEqual(["shop/web:2"]);
    }));

  it("restart makes new pods of the same image", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      const before = [...runtime.running.keys()];
      expect((await kubectl(["rollout", "restart", "deployment/web"])).stdout).toBe("deployment.apps/web restarted\n");
      await rolledOut(kubectl);
      expect([...runtime.running.keys()].filter((pod) => before.includes(pod))).toEqual([]);
      expect(imagesRunning(runtime)).toEqual(["shop/web:1"]);
    }));

  it("history shows each revision's cause and template", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["annotate", "deployment/web", "kubernetes.io/change-cause=the first"]);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:2"]);
      await kubectl(["annotate", "--overwrite", "deployment/web", "kubernetes.io/change-cause=the second"]);
      await rolledOut(kubectl);
      const { stdout } = await kubectl(["rollout", "history", "deployment/web"]);
      expect(stdout).toMatch(/^1 +the first\n2 +the second\n/m);
      const one = await kubectl(["rollout", "history", "deployment/web", "--revision=1"]);
      expect(one.stdout).toContain("deployment.apps/web with revision #1");
      expect(one.stdout).toMatch(/Image:\s+shop\/web:1\n/);
    }));

  it("history keeps no more revisions than its limit", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2", "shop/web:3", "shop/web:4"], { revisionHistoryLimit: 1 });
      await eventually(async () => expect(await revisionsOf(setting.kubectl)).toEqual([3, 4]));
    }));

  it("a new template while one is rolling out takes over from it", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:bad"]);
      await eventually(() => expect(imagesRunning(runtime)).toContain("shop/web:bad"));
      await deploy(kubectl, "shop/web:3");
      expect(imagesRunning(runtime)).toEqual(["shop/web:3"]);
      expect(await revisionsOf(kubectl)).toEqual([1, 2, 3]);
    }));

  it("scale in the middle of a stuck rollout is shared between old and new pods", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"], {
        replicas: 10,
        strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
      });
      await kubectl(["set", "image", "deployment/web", "web=shop/web:bad"]);
      const sizes = async () => (await fieldOf(kubectl, "rs", ".items[*].spec.replicas")).split(" ").map(Number).sort();
      await eventually(async () => expect(await sizes()).toEqual([5, 8]));
      await kubectl(["scale", "deployment/web", "--replicas=15"]);
      // The worked example of "proportional scaling" in the Deployment's documentation: 8+3 old, 5+2 new.
      await eventually(async () => expect(await sizes()).toEqual([11, 7]));
    }));
});
