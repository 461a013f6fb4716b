import { spawnSync } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startFlagServer } from "../../../evals/sandbox/flags/server.ts";
import type { Quirk } from "../../../evals/sandbox/service/manifest.ts";
import type { ZipkinSpan } from "../../../evals/sandbox/service/spans.ts";
import { build, FLAG, SERVICES } from "../../../evals/sandbox/shop.ts";
import { requireReal } from "../../real-component.ts";
import { scraped, startSmallShop, until } from "./small-shop.ts";

const whole = SERVICES.map((service) => build(service, "1.1.0"));
const withQuirk = (service: string, quirk: Quirk) =>
  SERVICES.map((name) => build(name, "1.1.0", name === service ? [quirk] : []));

async function statuses(url: URL, times: number, method = "GET"): Promise<readonly number[]> {
  const answers = await Promise.all(Array.from({ length: times }, () => fetch(url, { method })));
  await Promise.all(answers.map((answer) => answer.text()));
  return answers.map(({ status }) => status);
}

/** A server of the test's own, in the place of a service: the test sees each request and says what it is answered. */
async function startForeign() {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => waiting.push(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: { pod: "foreign", port: (server.address() as AddressInfo).port },
    async nextRequest(): Promise<(status: number) => void> {
      const response = await until(() => waiting.shift());
      return (status) => response.writeHead(status).end();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("a service process", () => {
  it("counts what it really served, no more and no less", async () => {
    await using shop = await startSmallShop(whole);
    const checkouts = await statuses(shop.url("gateway", "/checkout"), 20, "POST");
    const browses = await statuses(shop.url("gateway", "/browse"), 30);
    expect(new Set([...checkouts, ...browses])).toEqual(new Set([200]));

    const gateway = shop.url("gateway", "/metrics");
    expect(await scraped(gateway, "http_requests_total", { route: "/checkout", status: "200" })).toBe(20);
    expect(await scraped(gateway, "http_requests_total", { service: "gateway", version: "1.1.0" })).toBe(50);
    expect(await scraped(gateway, "http_request_duration_seconds_count", { route: "/browse" })).toBe(30);
    expect(await scraped(gateway, "http_client_requests_total", { callee: "checkout", status: "200" })).toBe(20);
    expect(await scraped(shop.url("payments", "/metrics"), "http_requests_total")).toBe(20);
    expect(await scraped(shop.url("pricing", "/metrics"), "http_requests_total")).toBe(50);
    // Health probes and scrapes are not traffic.
    await statuses(shop.url("gateway", "/readyz"), 3);
    expect(await scraped(gateway, "http_requests_total")).toBe(50);
  });

  it("counts a request whose client has gone as not served", async () => {
    await using shop = await startSmallShop(whole);
    await using slow = await startForeign();
    shop.redirect("pricing", [slow.endpoint]);
    const gone = new AbortController();
    const asked = fetch(shop.url("catalog", "/items"), { signal: gone.signal });
    const answer = await slow.nextRequest();
    gone.abort();
    await expect(asked).rejects.toThrow();
    answer(200);
    const later = fetch(shop.url("catalog", "/items"));
    (await slow.nextRequest())(200);
    expect((await later).status).toBe(200);
    expect(await scraped(shop.url("catalog", "/metrics"), "http_requests_total")).toBe(1);
  });

  it("hears of a callee's failure over HTTP and in no other way", async () => {
    await using shop = await startSmallShop(whole);
    await using foreign = await startForeign();
    shop.redirect("payments", [foreign.endpoint]);
    for (const [answered, expected] of [
      [500, 502],
      [200, 200],
      [503, 502],
      [404, 200],
    ] as const) {
      const asked = fetch(shop.url("gateway", "/checkout"), { method: "POST" });
      (await foreign.nextRequest())(answered);
      expect((await asked).status).toBe(expected);
    }
  });

  it("answers 502 where a callee has no ready pod, and recovers with it", async () => {
    await using shop = await startSmallShop(whole);
    const { port } = shop.pod("pricing");
    shop.redirect("pricing", []);
    const browse = shop.url("gateway", "/browse");
    await until(async () => ((await statuses(browse, 1))[0] === 502 ? true : undefined));
    shop.redirect("pricing", [{ pod: "pricing-1", port }]);
    await until(async () => ((await statuses(browse, 1))[0] === 200 ? true : undefined));
  });

  it("carries a caller's trace through every service, each span under the one that called it", async () => {
    await using shop = await startSmallShop(
      withQuirk("payments", { kind: "throws", share: 1, message: "card table lost" }),
    );
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await fetch(shop.url("gateway", "/checkout"), { method: "POST", headers });
    expect(answer.status).toBe(502);
    const spans = await until(async () => {
      const found = await fetch(new URL(`/api/v2/trace/${traceId}`, shop.collector));
      const trace = found.ok ? ((await found.json()) as ZipkinSpan[]) : [];
      return trace.length === 13 ? trace : undefined;
    });
    const byId = new Map(spans.map((span) => [span.id, span]));
    const path: string[] = [];
    let span = spans.find((one) => one.kind === "SERVER" && one.localEndpoint.serviceName === "payments");
    while (span !== undefined) {
      path.push(`${span.localEndpoint.serviceName} ${span.kind} ${"error" in span.tags}`);
      if (span.parentId === "00f067aa0ba902b7") break;
      span = byId.get(span.parentId ?? "");
    }
    expect(path).toEqual([
      "payments SERVER true",
      "checkout CLIENT true",
      "checkout SERVER true",
      "gateway CLIENT true",
      "gateway SERVER true",
    ]);
    const links = await (
      await fetch(new URL(`/api/v2/dependencies?endTs=${Date.now() + 1000}`, shop.collector))
    ).json();
    expect(links).toContainEqual({ parent: "checkout", child: "payments", callCount: 1, errorCount: 1 });
    expect(links).toContainEqual({ parent: "checkout", child: "inventory", callCount: 1 });
  });

  it("says in the trace that the bank outside was called", async () => {
    await using shop = await startSmallShop([build("payments", "1.1.0")]);
    const headers = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01" };
    await fetch(shop.url("payments", "/charge"), { method: "POST", headers });
    const links = await until(async () => {
      const url = new URL(`/api/v2/dependencies?endTs=${Date.now() + 1000}`, shop.collector);
      const found = (await (await fetch(url)).json()) as unknown[];
      return found.length > 0 ? found : undefined;
    });
    expect(links).toEqual([{ parent: "payments", child: "bank", callCount: 1 }]);
  });

  it.each([
    ["a leak grows the resident set until the limit ends the process", "keeps"],
    ["a version that never gets ready is alive and not ready", "stays-unready"],
  ] as const)("%s", async (_, kind) => {
    if (kind === "keeps") {
      await using shop = await startSmallShop([build("pricing", "1.2.0", [{ kind, kibPerRequest: 2048 }])]);
      const rss = () => scraped(shop.url("pricing", "/metrics"), "process_resident_memory_bytes");
      const before = await rss();
      await statuses(shop.url("pricing", "/prices"), 20);
      expect((await rss()) - before).toBeGreaterThan(35 * 1024 * 1024);
      const code = new Promise<number | null>((resolve) => shop.pod("pricing").onExit(resolve));
      await statuses(shop.url("pricing", "/prices"), 100).catch(() => []);
      expect(await code).toBe(137);
      expect(await shop.pod("pricing").ready()).toBe(false);
    } else {
      const quirk = { kind, message: "cannot read the price list" };
      await using shop = await startSmallShop([build("pricing", "1.2.0", [quirk]), build("inventory", "1.1.0")]);
      await until(async () => ((await shop.pod("inventory").ready()) ? true : undefined));
      expect((await fetch(shop.url("pricing", "/healthz"))).status).toBe(200);
      await until(async () => {
        const answer = await fetch(shop.url("pricing", "/readyz"));
        expect(answer.status).toBe(503);
        return (await answer.text()).includes("price list") ? true : undefined;
      });
      expect(await shop.pod("pricing").ready()).toBe(false);
    }
  });

  it("enters the code behind a flag while the flag is on, and leaves it when it is off again", async () => {
    const token = { secret: "*:*.secret", kind: "admin", name: "ana" } as const;
    const client = {
      secret: "default:production.secret",
      kind: "client",
      name: "pods",
      environment: "production",
    } as const;
    const flags = await startFlagServer({ tokens: [token, client], environments: ["development", "production"] });
    flags.store.create(FLAG.project, { name: FLAG.name }, token);
    await using shop = await startSmallShop(whole, { url: flags.url.href, token: client.secret });
    const some500 = async () => (await statuses(shop.url("checkout", "/orders"), 10, "POST")).includes(500);
    expect(await some500()).toBe(false);
    flags.store.toggle(FLAG.project, FLAG.name, "production", true, token);
    await until(async () => ((await some500()) ? true : undefined));
    flags.store.toggle(FLAG.project, FLAG.name, "production", false, token);
    await until(async () => ((await some500()) ? undefined : true));
    await flags.close();
  });

  it.runIf(requireReal("promtool", "prometheus"))(
    "serves metrics that promtool finds nothing to say about",
    async () => {
      await using shop = await startSmallShop(whole);
      await statuses(shop.url("gateway", "/checkout"), 3, "POST");
      const text = await (await fetch(shop.url("gateway", "/metrics"))).text();
      const check = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
      expect({ status: check.status, said: check.stdout + check.stderr }).toEqual({ status: 0, said: "" });
    },
  );
});
