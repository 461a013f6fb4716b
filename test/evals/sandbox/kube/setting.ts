import { expect, vi } from "vitest";
import { type Cluster, type ClusterOptions, startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import { type FakePodRuntime, fakePodRuntime } from "../../../fakes/fake-pod-runtime.ts";
import { deployment } from "./manifests.ts";
import { type Kubectl, realKubectl } from "./real-kubectl.ts";

export interface Setting {
  readonly cluster: Cluster;
  readonly runtime: FakePodRuntime;
  readonly kubectl: Kubectl;
}

/** Runs a test against a cluster of its own. Pods of an image with "bad" in its name never become ready. */
export async function withCluster(
  test: (setting: Setting) => Promise<void>,
  options: Omit<ClusterOptions, "runtime"> = {},
): Promise<void> {
  const runtime = fakePodRuntime();
  runtime.readyWhen(({ image }) => !image.includes("bad"));
  await using cluster = await startCluster({ runtime, timings: { probePeriodMs: 50 }, ...options });
  using kubectl = realKubectl(cluster);
  await test({ cluster, runtime, kubectl });
}

/** Waits until kubectl says that the rollout is done. */
export async function rolledOut(kubectl: Kubectl, what = "deployment/web"): Promise<void> {
  const { code, stdout, stderr } = await kubectl(["rollout", "status", what, "--timeout=20s"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/successfully rolled out|roll out complete|rolling update complete/);
}

/** Deploys the images one after the other, each rolled out before the next. */
export async function history({ cluster, kubectl }: Setting, images: readonly string[], spec = {}): Promise<void> {
  const [first = "", ...later] = images;
  await cluster.apply(deployment(first, spec));
  await rolledOut(kubectl);
  for (const image of later) await deploy(kubectl, image);
}

/** `set image` and its rollout. */
export async function deploy(kubectl: Kubectl, image: string, what = "deployment/web"): Promise<void> {
  expect(await kubectl(["set", "image", what, `web=${image}`])).toMatchObject({ code: 0 });
  await rolledOut(kubectl, what);
}

/** One value of an object or a list. */
export async function fieldOf(kubectl: Kubectl, what: string, path: string): Promise<string> {
  const { stdout } = await kubectl(["get", ...what.split(" "), "-o", `jsonpath={${path}}`]);
  return stdout;
}

export const imageOf = (kubectl: Kubectl, what = "deployment web"): Promise<string> =>
  fieldOf(kubectl, what, ".spec.template.spec.containers[0].image");

/** The revision numbers that `rollout history` lists. */
export async function revisionsOf(kubectl: Kubectl, what = "deployment/web"): Promise<readonly number[]> {
  const { stdout } = await kubectl(["rollout", "history", what]);
  return [...stdout.matchAll(/^(\d+) /gm)].map(([, revision]) => Number(revision));
}

/** Images of the pods that run now, without repetition. */
export function imagesRunning(runtime: FakePodRuntime): readonly string[] {
  return [...new Set([...runtime.running.values()].map(({ image }) => image))].sort();
}

/** Waits for a fact, looking often. */
export function eventually(check: () => unknown): Promise<void> {
  return vi.waitFor(
    async () => {
      await check();
    },
    { timeout: 20_000, interval: 20 },
  );
}
