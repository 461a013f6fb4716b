import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubeApi } from "../../../evals/real-kubernetes/api.ts";
import { auditedWrites } from "../../../evals/real-kubernetes/audit.ts";
import { type ControlPlane, EDGE_NODE, ON_EDGE } from "../../../evals/real-kubernetes/control-plane.ts";
import { deployment, template } from "../../../evals/real-kubernetes/manifests.ts";
import { giveRoles, type Role, type Roles } from "../../../evals/real-kubernetes/roles.ts";
import { hasControlPlane, startTestPlane } from "./plane.ts";

const APPS = "/apis/apps/v1/namespaces/shop";
const MERGE = "application/merge-patch+json";
/** Far beyond what any step takes on a busy machine. */
const PATIENCE_MS = 90_000;
const LONG_MS = 180_000;

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string } };
    }[];
  };
}

const isReady = ({ status }: Pod) =>
  status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");

describe.runIf(hasControlPlane("the real control plane"))("a real control plane", () => {
  let plane: ControlPlane;
  let roles: Roles;

  beforeAll(async () => {
    plane = await startTestPlane({ edgeNode: true, nodeGraceSeconds: 15 });
    roles = await giveRoles(plane, "shop");
  }, LONG_MS);
  afterAll(() => plane?.[Symbol.asyncDispose](), LONG_MS);

  const pods = async (app: string): Promise<readonly Pod[]> =>
    (await plane.admin.must("GET", `/api/v1/namespaces/shop/pods?labelSelector=app%3D${app}`)).items;
  const create = (manifest: object) => plane.admin.must("POST", `${APPS}/deployments`, { body: manifest });
  const as = (role: Role) => {
    const token = readFileSync(/tokenFile: (.+)/.exec(readFileSync(roles.kubeconfig[role], "utf8"))?.[1] ?? "", "utf8");
    return kubeApi({ url: plane.url, ca: plane.ca, token });
  };

  it("is Kubernetes 1.36 and gives a pod the fate that its image's version says", { timeout: LONG_MS }, async () => {
    expect((await plane.admin.must("GET", "/version")).gitVersion).toMatch(/^v1\.36\./);
    const fates = { ready: "1.4.0", never: "1.4.7", crashing: "1.4.18", late: "1.4.9" };
    for (const [name, version] of Object.entries(fates)) await create(deployment(name, `shop/${name}:${version}`));
    await until(async () => (await pods("ready")).length === 2 && (await pods("ready")).every(isReady));
    expect((await pods("late")).some(isReady)).toBe(false);
    await until(async () =>
      (await pods("crashing")).every(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) >= 2),
    );
    const [crashing] = await pods("crashing");
    expect(crashing?.status.containerStatuses?.[0]?.state.waiting?.reason).toBe("CrashLoopBackOff");
    await until(async () => (await pods("late")).every(isReady));
    expect((await pods("never")).some(isReady)).toBe(false);
    expect(await pods("never")).toHaveLength(2);
  });

  it("lets the agent read and the gate write, as the documentation says, and logs who wrote what", async () => {
    await create(deployment("roles", "shop/roles:1.0.0"));
    const patch = { type: MERGE, body: { metadata: { annotations: { note: "x" } } } };
    await using reader = as("unship-read");
    await using gate = as("unship-gate");
    expect((await reader.call("GET", `${APPS}/deployments`)).status).toBe(200);
    expect((await reader.call("PATCH", `${APPS}/deployments/roles`, patch)).status).toBe(403);
    expect((await reader.call("GET", "/api/v1/namespaces/shop/secrets")).status).toBe(403);
    expect((await gate.call("PATCH", `${APPS}/deployments/roles?dryRun=All`, patch)).status).toBe(200);
    expect((await gate.call("PATCH", `${APPS}/deployments/roles`, patch)).status).toBe(200);
    expect((await gate.call("DELETE", `${APPS}/deployments/roles`)).status).toBe(403);
    const written = auditedWrites(plane.directory, /:unship-(read|gate)$/);
    expect(
      written.map(({ user, verb, name, dryRun, status }) => [user.split(":").at(-1), verb, name, dryRun, status]),
    ).toEqual([
      ["unship-read", "patch", "roles", false, 403],
      ["unship-gate", "patch", "roles", true, 200],
      ["unship-gate", "patch", "roles", false, 200],
      ["unship-gate", "delete", "roles", false, 403],
    ]);
    expect(written[2]?.body).toEqual(patch.body);
  });

  it("takes a rotated token's validity away", { timeout: LONG_MS }, async () => {
    await using before = as("unship-read");
    expect((await before.call("GET", `${APPS}/deployments`)).status).toBe(200);
    await roles.rotate("unship-read");
    await using after = as("unship-read");
    expect((await after.call("GET", `${APPS}/deployments`)).status).toBe(200);
    // The API server remembers for ten seconds whom it let in.
    await until(async () => (await before.call("GET", `${APPS}/deployments`)).status === 401);
  });

  it("accepts and answers nothing while it is hung, and goes on where it was", { timeout: LONG_MS }, async () => {
    const { pid } = plane.apiServer;
    plane.apiServer.hang();
    const answered = plane.admin.must("GET", `${APPS}/deployments`).then(() => "answered");
    expect(await Promise.race([answered, wait(2000, "silent")])).toBe("silent");
    plane.apiServer.resume();
    expect(await answered).toBe("answered");
    expect(plane.apiServer.pid).toBe(pid);
  });

  it("keeps what it was told over a kill of the API server and a restart of etcd", { timeout: LONG_MS }, async () => {
    await create(deployment("kept", "shop/kept:1.0.0"));
    await plane.apiServer.kill();
    await expect(plane.admin.call("GET", `${APPS}/deployments/kept`)).rejects.toThrow();
    await plane.apiServer.start();
    expect((await plane.admin.call("GET", `${APPS}/deployments/kept`)).status).toBe(200);
    await plane.etcd.kill();
    await plane.etcd.start();
    await until(async () => (await plane.admin.call("GET", `${APPS}/deployments/kept`)).status === 200);
    await create(deployment("later", "shop/later:1.0.0"));
    await until(async () => (await pods("later")).filter(isReady).length === 2);
  });

  it("marks the pods of a lost node unready, and ready again once it is back", { timeout: LONG_MS }, async () => {
    await create(deployment("far", "shop/far:1.0.0", { template: template("far", "shop/far:1.0.0", ON_EDGE) }));
    await until(async () => (await pods("far")).filter(isReady).length === 2);
    await plane.edge?.kill();
    await until(async () => (await pods("far")).filter(isReady).length === 0);
    expect((await pods("kept")).filter(isReady)).toHaveLength(2);
    const ready = async () => (await plane.admin.must("GET", `/api/v1/nodes/${EDGE_NODE}`)) as Pod;
    expect(isReady(await ready())).toBe(false);
    await plane.edge?.start();
    await until(async () => (await pods("far")).filter(isReady).length === 2);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const held = await holds().catch(() => false);
    if (held) return;
    if (Date.now() > end) throw new Error("it never came to be");
    await wait(200);
  }
}
