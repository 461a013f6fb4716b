import { describe, expect, it } from "vitest";
import { hasKubectl } from "../../../real/kubectl.ts";
import { deployment } from "./manifests.ts";
import { eventually, fieldOf, history, imageOf, imagesRunning, rolledOut, withCluster } from "./setting.ts";

const yaml = (image: string, more = ""): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
  annotations: {note: "from ${image}"}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image}
          ports: [{containerPort: 80}]${more}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {mode: calm}
`;
const WITH_ENV = `
          env: [{name: A, value: "1"}, {name: B, value: "2"}]`;
const WITH_LESS_ENV = `
          env: [{name: B, value: "2"}]`;

const real = describe.runIf(hasKubectl());

real("kubectl apply", () => {
  it("creates, leaves alone, and changes what the file changes", () =>
    withCluster(async ({ kubectl, runtime }) => {
      const first = await kubectl(["apply", "-f", "-"], yaml("shop/web:1", WITH_ENV));
      expect(first).toEqual({ code: 0, stdout: "deployment.apps/web created\nconfigmap/conf created\n", stderr: "" });
      await rolledOut(kubectl);
      const again = await kubectl(["apply", "-f", "-"], yaml("shop/web:1", WITH_ENV));
      expect(again.stdout).toBe("deployment.apps/web unchanged\nconfigmap/conf unchanged\n");
      const second = await kubectl(["apply", "-f", "-"], yaml("shop/web:2", WITH_LESS_ENV));
      expect(second.stdout).toBe("deployment.apps/web configured\nconfigmap/conf unchanged\n");
      await rolledOut(kubectl);
      expect(imagesRunning(runtime)).toEqual(["shop/web:2"]);
      expect([...runtime.running.values()].map(({ env }) => env)).toEqual([{ B: "2" }, { B: "2" }]);
    }));

  it("keeps what others wrote, and a number of replicas that the file does not name", () =>
    withCluster(async ({ kubectl }) => {
      const file = (image: string) => yaml(image).replace("  replicas: 2\n", "");
      await kubectl(["apply", "-f", "-"], file("shop/web:1"));
      await kubectl(["scale", "deployment/web", "--replicas=3"]);
      await kubectl(["annotate", "deployment/web", "other=kept"]);
      await kubectl(["apply", "-f", "-"], file("shop/web:2"));
      expect(await fieldOf(kubectl, "deployment web", ".spec.replicas")).toBe("3");
      expect(await fieldOf(kubectl, "deployment web", ".metadata.annotations.other")).toBe("kept");
      expect(await imageOf(kubectl)).toBe("shop/web:2");
    }));

  it("diff shows what would change and changes nothing", () =>
    withCluster(async ({ cluster, kubectl }) => {
      await kubectl(["apply", "-f", "-"], yaml("shop/web:1"));
      const { code, stdout } = await kubectl(["diff", "-f", "-"], yaml("shop/web:2"));
      expect(code).toBe(1);
      expect(stdout).toMatch(/^-\s+- image: shop\/web:1\n\+\s+- image: shop\/web:2/m);
      expect(await imageOf(kubectl)).toBe("shop/web:1");
      expect(cluster.writes.at(-1)?.dryRun).toBe(true);
    }));

  it.each([
    [
      "a selector that does not match",
      "matchLabels: {app: web}",
      "matchLabels: {app: other}",
      "`selector` does not match template `labels`",
    ],
    [
      "a container without an image",
      "          image: shop/web:1\n",
      "",
      "spec.template.spec.containers[0].image: Required value",
    ],
    ["a name in capitals", "  name: web\n", "  name: WEB\n", "a lowercase RFC 1123 subdomain"],
  ])("is told of %s", (_, from, to, words) =>
    withCluster(async ({ kubectl }) => {
      const { code, stderr } = await kubectl(["apply", "-f", "-"], yaml("shop/web:1").replace(from, to));
      expect(code).toBe(1);
      expect(stderr).toContain("is invalid:");
      expect(stderr).toContain(words);
    }),
  );

  it("is told that a selector cannot change", () =>
    withCluster(async ({ kubectl }) => {
      await kubectl(["apply", "-f", "-"], yaml("shop/web:1"));
      const changed = yaml("shop/web:1").replaceAll("{app: web}", "{app: other}");
      const { code, stderr } = await kubectl(["apply", "-f", "-"], changed);
      expect(code).toBe(1);
      expect(stderr).toMatch(/The Deployment "web" is invalid: spec.selector: Invalid value: .*: field is immutable/);
    }));

  it("server-side takes what it owns, and is told whose the rest is", () =>
    withCluster(async ({ kubectl }) => {
      const apply = (manager: string, image: string) =>
        kubectl(["apply", "--server-side", `--field-manager=${manager}`, "-f", "-"], yaml(image));
      expect(await apply("robot", "shop/web:1")).toMatchObject({
        code: 0,
        stdout: "deployment.apps/web serverside-applied\nconfigmap/conf serverside-applied\n",
      });
      await rolledOut(kubectl);
      expect((await apply("robot", "shop/web:2")).code).toBe(0);
      expect(await imageOf(kubectl)).toBe("shop/web:2");
      const { code, stderr } = await apply("other", "shop/web:3");
      expect(code).toBe(1);
      expect(stderr).toContain('conflict with "robot"');
      expect(await imageOf(kubectl)).toBe("shop/web:2");
    }));
});

real("kubectl's single changes", () => {
  it("annotate and label are kept, and say who wrote them", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      expect((await kubectl(["annotate", "deployment/web", "a=b"])).stdout).toBe("deployment.apps/web annotated\n");
      expect((await kubectl(["label", "deployment/web", "tier=front"])).stdout).toBe("deployment.apps/web labeled\n");
      const managers = await fieldOf(
        kubectl,
        "deployment web --show-managed-fields",
        ".metadata.managedFields[*].manager",
      );
      expect(managers.split(" ")).toEqual(
        expect.arrayContaining(["sandbox", "kubectl-annotate", "kubectl-label", "kube-controller-manager"]),
      );
    }));

  it("scale changes the number of pods and no revision", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      expect((await kubectl(["scale", "deployment/web", "--replicas=5"])).stdout).toBe("deployment.apps/web scaled\n");
      await rolledOut(kubectl);
      expect(runtime.running.size).toBe(5);
      const wrong = await kubectl(["scale", "deployment/web", "--replicas=1", "--current-replicas=4"]);
      expect(wrong).toMatchObject({ code: 1 });
      await kubectl(["scale", "deployment/web", "--replicas=0", "--current-replicas=5"]);
      await eventually(() => expect(runtime.running.size).toBe(0));
      expect(await fieldOf(kubectl, "deployment web", ".metadata.annotations")).toContain(
        '"deployment.kubernetes.io/revision":"1"',
      );
    }));

  it("a deleted pod is replaced", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      const [victim = ""] = [...runtime.running.keys()];
      expect((await kubectl(["delete", "pod", victim])).stdout).toMatch(
        new RegExp(`^pod "${victim}" deleted( from default namespace)?\n$`),
      );
      await eventually(() => expect(runtime.running.size).toBe(3));
      expect(runtime.running.has(victim)).toBe(false);
      const { stdout } = await kubectl(["get", "events", "--field-selector", "reason=Killing"]);
      expect(stdout).toContain(`pod/${victim}`);
    }));

  it("a deleted Deployment takes its ReplicaSets and pods with it", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1", "shop/web:2"]);
      await kubectl(["delete", "deployment", "web"]);
      await eventually(() => expect(runtime.running.size).toBe(0));
      await eventually(async () => expect((await kubectl(["get", "rs,pods", "-o", "name"])).stdout).toBe(""));
    }));

  it("in the foreground it goes last", () =>
    withCluster(async (setting) => {
      const { kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      await kubectl(["delete", "deployment", "web", "--cascade=foreground"]);
      expect(runtime.running.size).toBe(0);
      expect((await kubectl(["get", "deploy,rs,pods", "-o", "name"])).stdout).toBe("");
    }));

  it("orphaned ReplicaSets are left, and adopted by the next Deployment of the same template", () =>
    withCluster(async (setting) => {
      const { cluster, kubectl, runtime } = setting;
      await history(setting, ["shop/web:1"]);
      const before = [...runtime.running.keys()];
      await kubectl(["delete", "deployment", "web", "--cascade=orphan"]);
      await cluster.idle();
      expect([...runtime.running.keys()]).toEqual(before);
      await cluster.apply(deployment("shop/web:1"));
      await rolledOut(kubectl);
      expect([...runtime.running.keys()]).toEqual(before);
    }));

  it("patch of all three types", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      const patch = (type: string, body: unknown) =>
        kubectl(["patch", "deployment", "web", "--type", type, "-p", JSON.stringify(body)]);
      await patch("strategic", {
        spec: { template: { spec: { containers: [{ name: "web", image: "shop/web:2" }] } } },
      });
      expect(await imageOf(setting.kubectl)).toBe("shop/web:2");
      await patch("merge", { spec: { replicas: 1 } });
      await patch("json", [{ op: "add", path: "/metadata/annotations/x", value: "y" }]);
      expect(await fieldOf(kubectl, "deployment web", ".metadata.annotations.x")).toBe("y");
      const failed = await patch("json", [{ op: "test", path: "/spec/replicas", value: 9 }]);
      expect(failed).toMatchObject({
        code: 1,
        stderr: "The request is invalid: the server rejected our request due to an error in our request\n",
      });
      const stale = await patch("merge", { metadata: { resourceVersion: "1" }, spec: { replicas: 2 } });
      expect(stale.stderr).toContain(
        'Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "web"',
      );
      expect(await fieldOf(kubectl, "deployment web", ".spec.replicas")).toBe("1");
    }));

  it("replace with an old resourceVersion is a conflict", () =>
    withCluster(async (setting) => {
      const { kubectl } = setting;
      await history(setting, ["shop/web:1"]);
      const { stdout } = await kubectl(["get", "deployment", "web", "-o", "json"]);
      await kubectl(["annotate", "deployment/web", "a=b"]);
      const { code, stderr } = await kubectl(["replace", "-f", "-"], stdout);
      expect(code).toBe(1);
      expect(stderr).toContain(
        "the object has been modified; please apply your changes to the latest version and try again",
      );
    }));
});
