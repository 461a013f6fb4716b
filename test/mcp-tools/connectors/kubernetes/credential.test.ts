import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import { kubeconfigFor } from "../../../../evals/sandbox/kube/kubeconfig.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { rightsText, writeRights } from "../../../../mcp-tools/connectors/kubernetes/credential.ts";
import { parseKubeconfig } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { realKubectl } from "../../../evals/sandbox/kube/real-kubectl.ts";
import { fakePodRuntime } from "../../../fakes/fake-pod-runtime.ts";
import { hasKubectl } from "../../../real/kubectl.ts";

const never = new AbortController().signal;
const TOKENS = [
  { token: "reader", readOnly: true },
  { token: "writer", readOnly: false },
];

/** An imitated cluster that asks for tokens, and our client for the holder of one. */
async function startGuarded() {
  const cluster = await startCluster({ runtime: fakePodRuntime(), tokens: TOKENS });
  const access = parseKubeconfig(cluster.kubeconfig(), "kubeconfig", null);
  const headers = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    cluster,
    server: access.server,
    headers,
    clientOf: (token: string) => kubeClient({ ...access, http: { headers: headers(token) } }),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** A way to a cluster that adds a token to each request: kubectl itself sends none over plain HTTP. */
async function startDoor(to: URL, headers: Readonly<Record<string, string>>) {
  const server = createServer((incoming, response) => {
    const { method, url, headers: own } = incoming;
    const options = { ...(method === undefined ? {} : { method }), headers: { ...own, ...headers } };
    const onward = request(new URL(url ?? "/", to), options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A client of such a server, which listens for as long as the client is held. */
async function clientOf(server: ReturnType<typeof createServer>) {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = kubeClient({ server: url, namespace: "default", http: {} });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A server that answers every question alike. */
async function answering(status: number, body: unknown) {
  const server = createServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  return clientOf(server);
}

/** A server that grants one right and no other. */
async function granting(right: string) {
  const server = createServer(async (incoming, response) => {
    const { spec } = JSON.parse(await text(incoming));
    const { verb, resource, subresource } = spec.resourceAttributes;
    const allowed = right === `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ status: { allowed } }));
  });
  return clientOf(server);
}

describe("what a credential may change", () => {
  it("is what the API server says, and asking writes nothing", async () => {
    await using guarded = await startGuarded();
    const rightsOf = async (token: string) => {
      const client = guarded.clientOf(token);
      return await writeRights(client, ["shop", "*"], never).finally(client.close);
    };
    expect(await rightsOf("reader")).toEqual({ may: [], untold: false });
    const { may, untold } = await rightsOf("writer");
    expect(untold).toBe(false);
    expect(may).toContain("patch deployments in shop");
    expect(may).toContain("delete pods in every namespace");
    expect(guarded.cluster.writes).toEqual([]);
  });

  it.skipIf(!hasKubectl())("is what real kubectl is told for the same review", async () => {
    await using guarded = await startGuarded();
    const allowed = async (token: string, verb: string) => {
      await using door = await startDoor(guarded.server, guarded.headers(token));
      using kubectl = realKubectl({ kubeconfig: () => kubeconfigFor(door.url) });
      const [apiVersion, kind] = ["authorization.k8s.io/v1", "SelfSubjectAccessReview"];
      const resourceAttributes = { verb, group: "apps", resource: "deployments", namespace: "shop" };
      // `kubectl auth can-i` speaks protobuf, which the imitation does not.
      const raw = ["create", "--raw", `/apis/${apiVersion}/selfsubjectaccessreviews`, "-f", "-"];
      const { stdout } = await kubectl(raw, JSON.stringify({ apiVersion, kind, spec: { resourceAttributes } }));
      return JSON.parse(stdout).status.allowed;
    };
    expect(await allowed("reader", "patch")).toBe(false);
    expect(await allowed("reader", "list")).toBe(true);
    expect(await allowed("writer", "patch")).toBe(true);
  });

  it.each([
    ["knows no such question", 404, { kind: "Status", code: 404 }],
    ["refuses the question", 403, { kind: "Status", code: 403 }],
    ["failed at it", 201, { status: { allowed: false, evaluationError: "the webhook timed out" } }],
  ])("cannot be determined where the server %s", async (_, status, body) => {
    await using server = await answering(status, body);
    expect(await writeRights(server.client, ["shop"], never)).toEqual({ may: [], untold: true });
  });

  it.each([
    "deletecollection pods",
    "deletecollection deployments",
    "update pods",
    "create pods/attach",
    "patch pods/ephemeralcontainers",
    "patch replicasets",
    "create replicasets",
    "update replicasets/scale",
    "create jobs",
    "create cronjobs",
    "create rolebindings",
    "impersonate serviceaccounts",
    "patch configmaps",
  ])("is more than reading where it is %s alone", async (right) => {
    await using server = await granting(right);
    expect(await writeRights(server.client, ["shop"], never)).toEqual({ may: [`${right} in shop`], untold: false });
  });

  it("is an error where the server is down", async () => {
    await using server = await answering(500, {});
    await expect(writeRights(server.client, ["shop"], never)).rejects.toMatchObject({ code: "source.unavailable" });
  });

  it.each([
    [{ may: [], untold: false }, false, "its credential may only read"],
    [{ may: [], untold: false }, true, "CAUTION: its credential may only read, so nothing can be rolled back"],
    [{ may: [], untold: true }, false, "cannot tell whether its credential may change workloads"],
    [{ may: ["patch x"], untold: false }, true, "its credential may patch x: it reads and acts"],
    [
      { may: ["patch x", "patch y"], untold: true },
      false,
      "CAUTION: in mode observe it only reads, and its credential may patch x and 1 more, and cannot tell what else",
    ],
  ])("%j in words, acting: %s", (rights, acts, text) => {
    expect(rightsText(rights, acts)).toBe(text);
  });
});
