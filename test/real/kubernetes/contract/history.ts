import { describe, expect, it } from "vitest";
import { statefulSet } from "../../../../evals/real-kubernetes/manifests.ts";
import { APPS, eventually, REVISION, type Setting, STRATEGIC } from "./setting.ts";

/** The history that controllers keep of a template. */
export function history({ made, deploy, must, next }: Setting): void {
  describe("history", () => {
    it("of a Deployment is its ReplicaSets by revision, and an old template gets the newest number", async () => {
      const path = await made();
      const app = path.split("/").at(-1);
      for (const version of ["1.0.1", "1.0.2", "1.0.0"]) await deploy(path, `shop/web:${version}`);
      const { metadata, spec } = await must("GET", path);
      expect(metadata.annotations[REVISION]).toBe("4");
      expect(spec.template.metadata).not.toHaveProperty("creationTimestamp");
      const { items } = await must("GET", `${APPS}/replicasets?labelSelector=app%3D${app}`);
      const history = (items as readonly ReplicaSet[]).map(({ metadata, spec }) => ({
        revision: metadata.annotations[REVISION],
        formerly: metadata.annotations["deployment.kubernetes.io/revision-history"],
        image: spec.template.spec.containers[0]?.image,
        replicas: spec.replicas,
        hashed: metadata.name === `${app}-${metadata.labels["pod-template-hash"]}`,
      }));
      expect(history.sort((a, b) => Number(a.revision) - Number(b.revision))).toEqual([
        { revision: "2", formerly: undefined, image: "shop/web:1.0.1", replicas: 0, hashed: true },
        { revision: "3", formerly: undefined, image: "shop/web:1.0.2", replicas: 0, hashed: true },
        { revision: "4", formerly: "1", image: "shop/web:1.0.0", replicas: 2, hashed: true },
      ]);
    });

    it("of a StatefulSet is its ControllerRevisions, which hold the patch back to each template", async () => {
      const app = `set-${next()}`;
      const path = `${APPS}/statefulsets/${app}`;
      await must("POST", `${APPS}/statefulsets`, { body: statefulSet(app, "shop/web:1.0.0") });
      const done = () =>
        eventually(async () => {
          const { status, metadata, spec } = await must("GET", path);
          return (
            status?.observedGeneration === metadata.generation &&
            status.readyReplicas === spec.replicas &&
            status.currentRevision === status.updateRevision
          );
        });
      await done();
      for (const image of ["shop/web:1.0.1", "shop/web:1.0.0"]) {
        const body = { spec: { template: { spec: { containers: [{ name: app, image }] } } } };
        await must("PATCH", path, { type: STRATEGIC, body });
        await done();
      }
      const { items } = await must("GET", `${APPS}/controllerrevisions?labelSelector=app%3D${app}`);
      const revisions = (items as readonly ControllerRevision[]).toSorted((a, b) => a.revision - b.revision);
      expect(revisions.map(({ revision, data }) => [revision, data.spec.template.spec.containers[0]?.image])).toEqual([
        [2, "shop/web:1.0.1"],
        [3, "shop/web:1.0.0"],
      ]);
      const { spec } = await must("GET", path);
      expect(revisions[1]?.data.spec.template).toEqual({ $patch: "replace", ...spec.template });
    });
  });
}

interface Template {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}
interface ReplicaSet {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly replicas: number; readonly template: Template };
}
interface ControllerRevision {
  readonly revision: number;
  readonly data: { readonly spec: { readonly template: Template } };
}
