import { describe, expect, it } from "vitest";
import { hasKubectl } from "../../../real/kubectl.ts";
import { daemonSet, statefulSet } from "./manifests.ts";
import { eventually, history, rolledOut, withCluster } from "./setting.ts";

/** The header's words of a printed table. */
const headers = (stdout: string) => (stdout.split("\n")[0] ?? "").trim().split(/ {2,}/);

const other = (manifest: ReturnType<typeof daemonSet>, name: string) => ({
  ...manifest,
  metadata: { ...manifest.metadata, name },
  spec: {
    ...manifest.spec,
    selector: { matchLabels: { app: name } },
    template: { ...manifest.spec.template, metadata: { labels: { app: name } } },
  },
});

/** Columns as kubectl prints them against a cluster of the same version. */
const COLUMNS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["pods", ["NAME", "READY", "STATUS", "RESTARTS", "AGE"], ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]],
  ["deployments", ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"], ["CONTAINERS", "IMAGES", "SELECTOR"]],
  ["replicasets", ["NAME", "DESIRED", "CURRENT", "READY", "AGE"], ["CONTAINERS", "IMAGES", "SELECTOR"]],
  ["statefulsets", ["NAME", "READY", "AGE"], ["CONTAINERS", "IMAGES"]],
  [
    "daemonsets",
    ["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"],
    ["CONTAINERS", "IMAGES", "SELECTOR"],
  ],
  ["controllerrevisions", ["NAME", "CONTROLLER", "REVISION", "AGE"], []],
  ["configmaps", ["NAME", "DATA", "AGE"], []],
  ["services", ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"], ["SELECTOR"]],
  ["namespaces", ["NAME", "STATUS", "AGE"], []],
  [
    "nodes",
    ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
    ["INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"],
  ],
];

describe.runIf(hasKubectl())("kubectl get", () => {
  it("prints the columns of every kind, narrow and wide", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      await cluster.apply(other(statefulSet("pg:1"), "db"));
      await cluster.apply(other(daemonSet("agent:1"), "agent"));
      await cluster.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "conf" },
        data: { a: "1", b: "2" },
      });
      await cluster.apply({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web" },
        spec: { ports: [{ port: 80 }] },
      });
      await rolledOut(kubectl, "statefulset/db");
      for (const [kind, narrow, wide] of COLUMNS) {
        expect(headers((await kubectl(["get", kind])).stdout)).toEqual(narrow);
        expect(headers((await kubectl(["get", kind, "-o", "wide"])).stdout)).toEqual([...narrow, ...wide]);
      }
      const { stdout } = await kubectl(["get", "events", "-o", "wide"]);
      expect(headers(stdout)).toEqual([
        "LAST SEEN",
        "TYPE",
        "REASON",
        "OBJECT",
        "SUBOBJECT",
        "SOURCE",
        "MESSAGE",
        "FIRST SEEN",
        "COUNT",
        "NAME",
      ]);
    }));

  it("prints what the cells say of a rollout that is stuck", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["set", "image", "deployment/web", "web=shop/web:bad"]);
      await eventually(async () => {
        const { stdout } = await kubectl(["get", "deployment", "web", "-o", "wide"]);
        expect(stdout).toMatch(/^web +3\/3 +1 +3 +\d+s +web +shop\/web:bad +app=web$/m);
      });
      const { stdout } = await kubectl(["get", "pods"]);
      expect(stdout.match(/^web-\S+ +1\/1 +Running +0 +\d+s$/gm)).toHaveLength(3);
      expect(stdout.match(/^web-\S+ +0\/1 +Running +0 +\d+s$/gm)).toHaveLength(1);
    }));

  it.each([
    ["-l app=web,pod-template-hash", 3],
    ["-l app==web", 3],
    ["-l app!=web", 0],
    ["-l app in (web,api)", 3],
    ["-l app notin (web)", 0],
    ["-l !app", 0],
    ["-l tier", 0],
    ["--field-selector metadata.namespace=default", 3],
    ["--field-selector metadata.name=none", 0],
    ["-A", 3],
  ])("selects with %s", (args, count) =>
    withCluster(async (setting) => {
      await history(setting, ["shop/web:1"]);
      const [flag = "", ...rest] = args.split(/ (.*)/).filter((part) => part !== "");
      const { code, stdout } = await setting.kubectl(["get", "pods", "-o", "name", flag, ...rest]);
      expect(code).toBe(0);
      expect(stdout.split("\n").filter((line) => line !== "")).toHaveLength(count);
    }),
  );

  it("-o json and -o yaml give the whole object, unknown fields included", () =>
    withCluster(async ({ cluster, kubectl }) => {
      const data = { a: "<&>" };
      await cluster.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "conf" },
        data,
        futureField: { x: [1] },
      });
      const object = JSON.parse((await kubectl(["get", "configmap", "conf", "-o", "json"])).stdout);
      expect(object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data, futureField: { x: [1] } });
      expect((await kubectl(["get", "configmap", "conf", "-o", "yaml"])).stdout).toContain("futureField:");
      const list = JSON.parse((await kubectl(["get", "configmaps", "-o", "json"])).stdout);
      expect(list.items).toEqual([object]);
    }));

  it("-w goes on with every change", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      let changed = false;
      const stdout = await kubectl.until(["get", "deployment", "web", "-w"], (text) => {
        if (!changed && text.includes("3/3")) {
          changed = true;
          void kubectl(["scale", "deployment/web", "--replicas=5"]);
        }
        return text.includes("5/5");
      });
      expect(stdout.match(/^NAME/gm)).toHaveLength(1);
      expect(stdout).toMatch(/^web +3\/5 /m);
      await cluster.idle();
    }));

  it("describe shows the conditions, the ReplicaSets and the events", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      const { code, stdout } = await kubectl(["describe", "deployment", "web"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable/);
      expect(stdout).toMatch(/Progressing +True +NewReplicaSetAvailable/);
      expect(stdout).toMatch(/OldReplicaSets: +web-\w+ \(0\/0 replicas created\)/);
      expect(stdout).toMatch(/NewReplicaSet: +web-\w+ \(3\/3 replicas created\)/);
      expect(stdout).toMatch(/Scaled up replica set web-\w+ from 0 to 3/);
    }));

  it("describe of a pod shows its owner, its probe and why it is not ready", () =>
    withCluster(async ({ cluster, kubectl }) => {
      await cluster.apply(other(statefulSet("pg:bad"), "db"));
      await eventually(async () => {
        const { stdout } = await kubectl(["describe", "pod", "db-0"]);
        expect(stdout).toMatch(/Controlled By: +StatefulSet\/db/);
        expect(stdout).toMatch(/Warning +Unhealthy .*Readiness probe failed/);
      });
    }));

  it.each([
    [
      "an object that is not there",
      ["get", "deployment", "none"],
      'Error from server (NotFound): deployments.apps "none" not found\n',
    ],
    ["a kind that is not there", ["get", "widgets"], 'error: the server doesn\'t have a resource type "widgets"\n'],
    [
      "a field that cannot be selected",
      ["get", "pods", "--field-selector", "spec.x=1"],
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.x=1": field label not supported: spec.x\n',
    ],
  ])("says what is wrong with %s", (_, args, stderr) =>
    withCluster(async ({ kubectl }) => {
      expect(await kubectl(args)).toEqual({ code: 1, stdout: "", stderr });
    }),
  );

  it("version and api-resources know the server", () =>
    withCluster(async ({ kubectl }) => {
      expect((await kubectl(["version"])).stdout).toContain("Server Version: v1.36.3+sandbox");
      const { stdout } = await kubectl(["api-resources", "--no-headers"]);
      expect(stdout).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    }));
});
