import { describe, expect, it } from "vitest";
import { type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { BAD, cartTarget, executorFor, GOOD, never } from "./setting.ts";

const workload = (name: string, cpu: string | undefined, more: { kind?: string; replicas?: number } = {}) => ({
  kind: more.kind ?? "Deployment",
  metadata: { name, namespace: "shop" },
  spec: {
    replicas: more.replicas ?? 3,
    template: {
      spec: { containers: [{ name: "app", resources: cpu === undefined ? {} : { limits: { cpu } } }] },
    },
  },
});
const resource = (name: string) => ({ version: "v1", kind: "Deployment", namespace: "shop", name });
const capacityOf = async (argocd: FakeArgocd) => (await executorFor(argocd).inspect(cartTarget(), never)).capacity;
const opened = () =>
  fakeArgocd([fakeApplication("cart", [GOOD, BAD], { resources: [resource("cart"), resource("mail")] })]);

describe("Argo CD: whether the old version can carry the load of now", () => {
  it("counts the pods of all its workloads, and names what each has less of", async () => {
    await using argocd = await opened();
    argocd.setLive("cart", [
      workload("cart", "1", { replicas: 5 }),
      workload("mail", "1"),
      { kind: "Service", metadata: { name: "cart" } },
    ]);
    argocd.setManifests(GOOD, [workload("cart", "500m"), workload("mail", "2")]);
    expect(await capacityOf(argocd)).toEqual({ replicas: 8, less: ["in cart the CPU limit of app is 500m, not 1"] });
  });

  it("a workload that the old version does not have stays as it is", async () => {
    await using argocd = await opened();
    argocd.setLive("cart", [workload("cart", "1"), workload("mail", "1")]);
    argocd.setManifests(GOOD, [workload("cart", "1")]);
    expect(await capacityOf(argocd)).toEqual({ replicas: 6, less: [] });
  });

  it.each<[string, (argocd: FakeArgocd) => void]>([
    [
      "the old revision cannot be rendered",
      (argocd) => argocd.setLive("cart", [workload("cart", "1"), workload("mail", "1")]),
    ],
    [
      "a workload of it cannot be seen",
      (argocd) => {
        argocd.setLive("cart", [workload("cart", "1")]);
        argocd.setManifests(GOOD, [workload("cart", "1")]);
      },
    ],
    [
      "the token may not see what stands",
      (argocd) => {
        argocd.setManifests(GOOD, [workload("cart", "1")]);
        argocd.forbid(/managed-resources$/);
      },
    ],
    [
      "it was synced with other parameters than those of now",
      (argocd) => {
        argocd.setLive("cart", [workload("cart", "1"), workload("mail", "1")]);
        argocd.setManifests(GOOD, [workload("cart", "1"), workload("mail", "1")]);
        const { spec } = argocd.application("cart");
        spec.source = { ...spec.source, kustomize: { images: ["cart:2"] } };
      },
    ],
  ])("is unknown where %s", async (_, arrange) => {
    await using argocd = await opened();
    arrange(argocd);
    expect(await capacityOf(argocd)).toBeUndefined();
  });
});
