import { describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import { type FakePodRuntime, fakePodRuntime } from "../../../fakes/fake-pod-runtime.ts";
import { requireReal } from "../../../real-component.ts";
import { deployment } from "./manifests.ts";
import { type Kubectl, realKubectl } from "./real-kubectl.ts";

interface Setting {
  readonly cluster: Cluster;
  readonly runtime: FakePodRuntime;
  readonly kubectl: Kubectl;
}

async function withCluster(test: (setting: Setting) => Promise<void>): Promise<void> {
  const runtime = fakePodRuntime();
  runtime.readyWhen(({ image }) => !image.includes("bad"));
  await using cluster = await startCluster({ runtime, timings: { probePeriodMs: 50 } });
  using kubectl = realKubectl(cluster);
  await test({ cluster, runtime, kubectl });
}

/** Deploys the images one after the other, each rolled out before the next. */
async function history({ cluster, kubectl }: Setting, images: readonly string[], spec = {}): Promise<void> {
  const [first = "", ...later] = images;
  await cluster.apply(deployment(first, spec));
  await done(kubectl);
  for (const image of later) {
    expect(await kubectl(["set", "image", "deployment/web", `web=${image}`])).toMatchObject({ code: 0 });
    await done(kubectl);
  }
}

async function done(kubectl: Kubectl): Promise<void> {
  const { code, stdout } = await kubectl(["rollout", "status", "deployment/web", "--timeout=20s"]);
  expect(stdout).toContain("successfully rolled out");
  expect(code).toBe(0);
}

const jsonpath = async (kubectl: Kubectl, what: string, path: string) =>
  (await kubectl(["get", ...what.split(" "), "-o", `jsonpath={${path}}`])).stdout;
const image = (kubectl: Kubectl) => jsonpath(kubectl, "deployment web", ".spec.template.spec.containers[0].image");
const revisions = async (kubectl: Kubectl) => {
  const { stdout } = await kubectl(["rollout", "history", "deployment/web"]);
  return [...stdout.matchAll(/^(\d+) /gm)].map(([, revision]) => Number(revision));
};

describe.runIf(requireReal("kubectl", "kubernetes-client"))("kubectl rollout against the imitated cluster", () => {
  it("rolls a new image out and replaces every pod", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2"]);
      expect([...setting.runtime.running.values()].map((pod) => pod.image)).toEqual(Array(3).fill("shop/web:2"));
      expect(await jsonpath(setting.kubectl, "pods", ".items[*].status.phase")).toBe("Running Running Running");
    }));

  it("undo goes back to the previous revision, which is renumbered to the newest", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      const undone = await kubectl(["rollout", "undo", "deployment/web"]);
      expect(undone.stdout).toBe("deployment.apps/web rolled back\n");
      await done(kubectl);
      expect(await image(kubectl)).toBe("shop/web:1");
      expect(await revisions(kubectl)).toEqual([2, 3]);
      expect(new Set([...runtime.running.values()].map((pod) => pod.image))).toEqual(new Set(["shop/web:1"]));
      const sets = await jsonpath(kubectl, "rs", ".items[*].metadata.name");
      expect(sets.split(" ")).toHaveLength(2);
    }));

  it("undo --to-revision takes the revision that was asked for", () =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1", "shop/web:2", "shop/web:3"]);
      await setting.kubectl(["rollout", "undo", "deployment/web", "--to-revision=1"]);
      await done(setting.kubectl);
      expect(await image(setting.kubectl)).toBe("shop/web:1");
      expect(await revisions(setting.kubectl)).toEqual([2, 3, 4]);
    }));
});
