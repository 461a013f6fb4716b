import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { Pod } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";

const never = new AbortController().signal;
const item = (name: string) => ({ metadata: { name, namespace: "shop" } });

/** A server that answers with these, one after the other; `seen` are the requests. */
async function answering(
  answers: readonly (readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>])[],
) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const [status, body, headers] = answers[seen.length] ?? [500, {}];
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(status, headers).end(JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    seen,
    client: kubeClient({ server: url, namespace: "default", http: {} }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("kubeClient", () => {
  it("reads a list page by page", async () => {
    await using api = await answering([
      [200, { metadata: { continue: "a/b=" }, items: [item("one")] }],
      [200, { metadata: {}, items: [item("two")] }],
    ]);
    const pods = await api.client.list("Pod", "shop", Pod, never, { labels: { app: "cart" }, fields: "reason=x" });
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(["one", "two"]);
    const query = "labelSelector=app%3Dcart&fieldSelector=reason%3Dx&limit=500";
    expect(api.seen).toEqual([
      `GET /api/v1/namespaces/shop/pods?${query}`,
      `GET /api/v1/namespaces/shop/pods?${query}&continue=a%2Fb%3D`,
    ]);
  });

  it("begins again where the continuation expired", async () => {
    await using api = await answering([
      [200, { metadata: { continue: "old" }, items: [item("stale")] }],
      [410, { kind: "Status" }],
      [200, { items: [item("fresh")] }],
    ]);
    const pods = await api.client.list("Pod", "*", Pod, never);
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(["fresh"]);
    expect(api.seen[0]).toBe("GET /api/v1/pods?limit=500");
  });

  it("gives up where it expires again", async () => {
    await using api = await answering([
      [410, {}],
      [410, {}],
    ]);
    await expect(api.client.list("Pod", "shop", Pod, never)).rejects.toMatchObject({ code: "source.refused" });
  });

  describe("where flow control turns it away", () => {
    const away = (seconds: string) => [429, "Too many requests", { "retry-after": seconds }] as const;
    const done = [200, { items: [item("one")] }] as const;
    const patch = { contentType: "application/json-patch+json", body: [] } as const;

    it.each([
      ["once, reads it when the server says", [away("0"), done], 2, true],
      ["twice, reads it then", [away("0"), away("0"), done], 3, true],
      ["three times, gives up", [away("0"), away("0"), away("0"), done], 3, false],
      ["for longer than is worth waiting, gives up at once", [away("60"), done], 1, false],
      ["without saying until when, gives up at once", [[429, "Too many requests"] as const, done], 1, false],
      ["by another refusal, gives up at once", [[503, "", { "retry-after": "0" }] as const, done], 1, false],
    ] as const)("%s", async (_, answers, requests, isRead) => {
      await using api = await answering(answers);
      const read = api.client.list("Pod", "shop", Pod, never);
      if (isRead) expect(await read).toHaveLength(1);
      else await expect(read).rejects.toMatchObject({ code: "source.unavailable" });
      expect(api.seen).toHaveLength(requests);
    });

    it("a write is not tried again", async () => {
      await using api = await answering([away("0"), [200, item("cart")]]);
      const write = api.client.patch("Deployment", "shop", "cart", patch, Pod, { dryRun: false }, never);
      await expect(write).rejects.toMatchObject({ code: "source.unavailable", facts: { status: 429 } });
      expect(api.seen).toHaveLength(1);
    });

    it("waits no longer than whoever asks", async () => {
      await using api = await answering([away("5"), done]);
      const abort = new AbortController();
      const read = api.client.list("Pod", "shop", Pod, abort.signal);
      read.catch(() => undefined);
      while (api.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      setTimeout(() => abort.abort(), 50);
      await expect(read).rejects.toMatchObject({ code: "source.unavailable" });
      expect(api.seen).toHaveLength(1);
    });
  });

  it("takes a null list for an empty one, as Go writes it", async () => {
    await using api = await answering([[200, { items: null }]]);
    expect(await api.client.list("Pod", "shop", Pod, never)).toEqual([]);
  });

  it.each(["..", "", "a/../../secrets"])("no name leads a request elsewhere: %j", async (name) => {
    await using api = await answering([[200, item("x")]]);
    await api.client.get("Pod", "shop", name, Pod, never).catch(() => {});
    for (const line of api.seen) expect(line).toMatch(/^GET \/api\/v1\/namespaces\/shop\/pods\/[^/]+$/);
  });
});
