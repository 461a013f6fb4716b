import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { type FakeKubernetesApi, fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { controlled, controllerRevision, deployment, replicaSet, template, undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const NOW = 1_767_268_800_000;
const KEY = "plan-1/0";

const history: readonly [StoredObject, StoredObject, StoredObject] = [
  replicaSet("shop/cart:1.3.0", "1", 0),
  replicaSet("shop/cart:1.4.0", "2", 10),
  replicaSet("shop/cart:1.5.0", "3", 20),
];
const bad = () => deployment("shop/cart:1.5.0", "3");

function executorOf(api: FakeKubernetesApi, timeoutMs = 2000) {
  const client = kubeClient({ server: api.url, namespace: "default", http: {} }, { timeoutMs });
  return kubectlRolloutUndo({ client, now: () => NOW });
}

describe("kubectlRolloutUndo, races and failures", () => {
  it.each(["Deployment", "StatefulSet", "DaemonSet"] as const)(
    "a status write in between is no obstacle: a %s is read and judged again",
    async (kind) => {
      const deployed = kind === "Deployment";
      await using api = await fakeKubernetesApi(
        deployed
          ? [bad(), ...history]
          : [controlled(kind, "pg:2"), controllerRevision(kind, "pg:1", 1), controllerRevision(kind, "pg:2", 2)],
      );
      api.onPatch((turn) => {
        if (turn <= 2)
          api.put(
            deployed
              ? deployment("shop/cart:1.5.0", "3", { status: { readyReplicas: turn } })
              : controlled(kind, "pg:2"),
          );
        return "go on";
      });
      const target = deployed
        ? undoTarget()
        : undoTarget({
            object: { kind, namespace: "shop", name: "db" },
            expected: { version: "2", revision: "2" },
            restore: { version: "1", revision: "1" },
          });
      const result = await executorOf(api).execute(target, KEY, never);
      expect([result.result, api.writes.length]).toEqual(["done", 3]);
    },
  );

  it("a deploy in between makes the plan stale, and is not overwritten", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    api.onPatch(() => {
      api.put(deployment("shop/cart:1.6.0", "3"));
      return "go on";
    });
    const result = await executorOf(api).execute(undoTarget(), KEY, never);
    expect(result).toMatchObject({ result: "stale", detail: expect.stringContaining("just changed to 1.6.0") });
    expect(api.get("deployments", "shop", "cart")).toMatchObject({ spec: { template: template("shop/cart:1.6.0") } });
  });

  it("gives up, having written nothing, on an object that never holds still", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    api.onPatch((turn) => {
      api.put(deployment("shop/cart:1.5.0", "3", { status: { readyReplicas: turn } }));
      return "go on";
    });
    const result = await executorOf(api).execute(undoTarget(), KEY, never);
    expect(result).toMatchObject({ result: "failed", detail: expect.stringContaining("nothing was written") });
    expect(api.get("deployments", "shop", "cart")).toMatchObject({ spec: { template: template("shop/cart:1.5.0") } });
  });

  it.each([
    ["no answer in time", (_: unknown) => {}, "unknown"],
    ["a cut connection", (response: { destroy(): void }) => response.destroy(), "unknown"],
    ["a 500", (response: { writeHead(status: number): { end(): void } }) => response.writeHead(500).end(), "unknown"],
    ["a 504", (response: { writeHead(status: number): { end(): void } }) => response.writeHead(504).end(), "unknown"],
    [
      "a 429, which comes before anything is done",
      (response: { writeHead(status: number): { end(): void } }) => response.writeHead(429).end(),
      "unreachable",
    ],
    ["a 403", (response: { writeHead(status: number): { end(): void } }) => response.writeHead(403).end(), "failed"],
    [
      "a 422 of an object that did not move",
      (response: { writeHead(status: number): { end(): void } }) => response.writeHead(422).end(),
      "failed",
    ],
  ] as const)("%s after the write was sent is %3$s", async (_, answer, expected) => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    api.onPatch((_turn, response) => {
      answer(response);
      return "answered";
    });
    const result = await executorOf(api, 150).execute(undoTarget(), KEY, never);
    expect([result.result, api.writes.length]).toEqual([expected, 1]);
  });

  it("a server that cannot be reached is unreachable", async () => {
    const api = await fakeKubernetesApi([bad(), ...history]);
    await api[Symbol.asyncDispose]();
    expect((await executorOf(api).execute(undoTarget(), KEY, never)).result).toBe("unreachable");
  });

  it("says nothing-to-do, not success, when the server found the templates equal", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    api.onPatch((_, response) => {
      response.end(JSON.stringify(deployment("shop/cart:1.4.0", "3")));
      return "answered";
    });
    expect((await executorOf(api).execute(undoTarget(), KEY, never)).result).toBe("nothing-to-do");
  });

  it("a write that the server holds may land later, and is not called undone after the second try", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    let time = NOW;
    const client = kubeClient({ server: api.url, namespace: "default", http: {} }, { timeoutMs: 300 });
    const executor = kubectlRolloutUndo({ client, now: () => time });
    api.onPatch(() => "answered");
    const tried = async () => {
      expect(await executor.execute(undoTarget(), KEY, never)).toMatchObject({ result: "unknown" });
      return executor.reconcile(undoTarget(), KEY, never);
    };
    expect(await tried()).toMatchObject({ result: "failed", detail: expect.stringContaining("it may be tried again") });
    const second = await tried();
    expect(second).toMatchObject({ result: "unknown" });
    expect(second.detail).toContain("2 writes of it were taken and not answered");
    // Another plan sent nothing, and after so long no server holds a request any more.
    expect(await executor.reconcile(undoTarget(), "other", never)).toMatchObject({ result: "failed" });
    time += 10 * 60_000;
    expect(await executor.reconcile(undoTarget(), KEY, never)).toMatchObject({ result: "failed" });
    time = NOW;
    // Something else was written: what is held will be refused.
    const moved = api.get("deployments", "shop", "cart");
    if (moved === undefined) throw new Error("it is there");
    api.put(moved);
    expect(await executor.reconcile(undoTarget(), KEY, never)).toMatchObject({ result: "failed" });
    api.onPatch(() => "go on");
    for (const [index, expected] of [422, 422].entries()) {
      const { url, contentType, body } = api.writes[index] ?? {};
      const headers = { "content-type": contentType ?? "" };
      const late = await fetch(new URL(url ?? "", api.url), { method: "PATCH", headers, body: JSON.stringify(body) });
      expect(late.status).toBe(expected);
    }
  });

  it("a server that answered its own failure holds nothing", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    const executor = executorOf(api);
    api.onPatch((_, response) => {
      response.writeHead(500).end("{}");
      return "answered";
    });
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await executor.execute(undoTarget(), KEY, never)).toMatchObject({ result: "unknown" });
      expect(await executor.reconcile(undoTarget(), KEY, never)).toMatchObject({ result: "failed" });
    }
  });

  const labelled = template("shop/cart:1.4.0", { labels: { "policy.example/seen": "yes" } });
  it.each<[string, object, string, string]>([
    [
      "keeps the bad version",
      template("shop/cart:1.5.0"),
      "failed",
      "kept the template as it was (1.5.0), not revision 2",
    ],
    ["stores a third version", template("shop/cart:1.9.9"), "failed", "stored 1.9.9, not revision 2 (1.4.0)"],
    ["adds a label of its own", labelled, "done", "restored revision 2 (1.4.0)"],
  ])("reads what was stored: an admission webhook that %s", async (_, stored, result, detail) => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    api.onAdmission((object) => ({ ...object, spec: { ...(object.spec as object), template: stored } }));
    const answer = await executorOf(api).execute(undoTarget(), KEY, never);
    expect(answer).toMatchObject({ result });
    expect(answer.detail).toContain(detail);
    expect([answer.detail, ...answer.warnings].join()).toContain("admission webhook");
    const again = await executorOf(api).reconcile(undoTarget(), KEY, never);
    if (result === "failed") expect(again.detail).not.toContain("done: it is at revision 2");
  });

  it("a second execution with the same key writes nothing and says that it is done", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    const executor = executorOf(api);
    await executor.execute(undoTarget(), KEY, never);
    const again = await executor.execute(undoTarget(), KEY, never);
    expect([again.result, api.writes.length]).toEqual(["done", 1]);
  });

  it("a dry run asks the server and changes nothing", async () => {
    await using api = await fakeKubernetesApi([bad(), ...history]);
    const result = await executorOf(api).dryRun(undoTarget(), never);
    expect(result).toMatchObject({ result: "done", detail: expect.stringContaining("would accept revision 2") });
    expect(api.writes[0]?.url).toContain("dryRun=All");
    expect(api.get("deployments", "shop", "cart")).toMatchObject({ spec: { template: template("shop/cart:1.5.0") } });
  });
});
