import { describe, expect, it } from "vitest";
import type { Answer } from "../../../../evals/real-kubernetes/api.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { ConfigMapMeta } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { proxyTo } from "./proxy.ts";
import { APPS, CORE, eventually, MERGE, type Setting } from "./setting.ts";

/** Lists in pages, and watches. */
export function lists({ server, call, made, must, next }: Setting): void {
  describe("lists", () => {
    const paged = `${CORE}/configmaps?labelSelector=paged%3Dyes`;
    const fill = async () => {
      for (const name of ["a", "b", "c", "d", "e"])
        await call("POST", `${CORE}/configmaps`, {
          body: {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: `paged-${name}`, labels: { paged: "yes" } },
          },
        });
    };
    const names = (items: readonly { readonly metadata: { readonly name: string } }[]) =>
      items.map(({ metadata }) => metadata.name.slice("paged-".length));

    it("come in pages of the size asked for, in the order of their names, each once", async () => {
      await fill();
      const seen: string[][] = [];
      for (let next: string | undefined = ""; next !== undefined; ) {
        const page: Answer["body"] = await must("GET", `${paged}&limit=2&continue=${encodeURIComponent(next)}`);
        seen.push(names(page.items));
        next = page.metadata.continue;
      }
      expect(seen).toEqual([["a", "b"], ["c", "d"], ["e"]]);
    });

    it("say the version that they are of, the same on each page", async () => {
      await fill();
      const first = await must("GET", `${paged}&limit=2`);
      await call("POST", `${CORE}/configmaps`, {
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `later-${next()}` } },
      });
      const second = await must("GET", `${paged}&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`);
      expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    });

    it("whose continuation is of a version that is forgotten are expired", async () => {
      await fill();
      const first = await must("GET", `${paged}&limit=2`);
      await call("PATCH", `${CORE}/configmaps/paged-d`, { type: MERGE, body: { data: { mark: String(next()) } } });
      await server().forget();
      const expiredPage = `${paged}&limit=2&continue=${encodeURIComponent(first.metadata.continue)}`;
      await eventually(async () => (await call("GET", expiredPage)).status === 410);
      const { body } = await call("GET", expiredPage);
      expect(body).toMatchObject({ kind: "Status", code: 410, reason: "Expired" });
      // Who wants the rest as it is by now gets it by the token in the refusal.
      const rest = await must("GET", `${paged}&limit=9&continue=${encodeURIComponent(body.metadata.continue)}`);
      expect(names(rest.items)).toEqual(["c", "d", "e"]);
      expect(Number(rest.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
      expect((await call("GET", `${paged}&limit=2`)).status).toBe(200);
    });

    it("whose continuation expires between two pages are read again from their start by our client", async () => {
      await fill();
      const { access, forget } = server();
      await using between = await proxyTo(access, async (page) => {
        await call("PATCH", `${CORE}/configmaps/paged-d`, { type: MERGE, body: { data: { mark: String(next()) } } });
        await forget();
        await eventually(async () => (await page()) === 410);
      });
      const client = kubeClient(between.access, { pageSize: 2, timeoutMs: 60_000 });
      const labels = { paged: "yes" };
      const found = await client.list("ConfigMap", "default", ConfigMapMeta, new AbortController().signal, { labels });
      await client.close();
      expect(names(found)).toEqual(["a", "b", "c", "d", "e"]);
      expect(between.answers).toEqual([200, 410, 200, 200, 200]);
    });

    it("of metadata alone carry nothing else, and say their kind", async () => {
      await fill();
      const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
      const list = await must("GET", `${paged}&limit=2`, { headers: { accept } });
      expect(list).toMatchObject({ kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" });
      for (const item of list.items) {
        expect(item).toMatchObject({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
        expect(Object.keys(item).sort()).toEqual(["apiVersion", "kind", "metadata"]);
        expect(item.metadata.managedFields[0].fieldsV1).toHaveProperty("f:metadata");
      }
      expect(list.metadata.continue).toEqual(expect.any(String));
      const one = await must("GET", `${CORE}/configmaps/paged-a`, { headers: { accept: accept.replace("List", "") } });
      expect(Object.keys(one).sort()).toEqual(["apiVersion", "kind", "metadata"]);
    });

    it("whose continuation is nonsense are refused", async () => {
      expect(await call("GET", `${paged}&limit=2&continue=nonsense`)).toMatchObject({
        status: 400,
        body: { code: 400 },
      });
    });

    it("carry no kind in their items", async () => {
      await fill();
      const { kind, items } = await must("GET", paged);
      expect(kind).toBe("ConfigMapList");
      expect(items[0]).not.toHaveProperty("kind");
    });
  });

  describe("a watch", () => {
    it("tells what comes after the version, and of one that is too new waits", async () => {
      const path = await made();
      const name = path.split("/").at(-1);
      const { metadata } = await must("GET", path);
      const abort = new AbortController();
      const seen: string[] = [];
      await must("PATCH", path, { type: MERGE, body: { metadata: { labels: { mark: "1" } } } });
      await must("PATCH", path, { type: MERGE, body: { metadata: { labels: { mark: "2" } } } });
      const query = `watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=20`;
      for await (const { type, object } of server().api.watch(`${APPS}/deployments?${query}`, abort.signal)) {
        seen.push(`${type} ${object.metadata.labels.mark}`);
        if (object.metadata.labels.mark === "2") break;
      }
      abort.abort();
      expect(seen).toEqual(["MODIFIED 1", "MODIFIED 2"]);
    });
  });
}
