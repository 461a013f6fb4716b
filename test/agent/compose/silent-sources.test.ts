import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { composeAgent } from "../../../agent/compose/agent.ts";
import { investigateOnce } from "../../../agent/compose/investigate.ts";
import { type LiveSystem, openLiveSystem } from "../../../agent/compose/live-system.ts";
import { terminalNotifier } from "../../../agent/compose/notifier.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { Config } from "../../../core/config/config.ts";
import type { Clock } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { fakeExporter, pageOf } from "../../fakes/fake-exporter.ts";
import { fakeKubernetesApi } from "../../fakes/fake-kubernetes-api.ts";

const STEP = 30_000;
const T0 = 1_700_000_000_000;
const never = new AbortController().signal;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A shop with two services, a cluster and a spool: real sockets and a real folder, a clock that the test moves. */
async function openShop() {
  const folder = await mkdtemp(join(tmpdir(), "unship-silent-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  let requests = 0;
  const page = (service: string) => () => pageOf({ service, version: "1", requests: { 200: requests } });
  const cart = await fakeExporter(page("cart"));
  const search = await fakeExporter(page("search"));
  const api = await fakeKubernetesApi([]);
  let clusterUp = true;
  stops.push(cart[Symbol.asyncDispose], search[Symbol.asyncDispose], async () => {
    if (clusterUp) await api[Symbol.asyncDispose]();
  });
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: api.url.href } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    }),
  );
  const spool = join(folder, "spool");
  const config: Config = testConfig({
    watch: { stepMs: STEP },
    dataSources: {
      metrics: {
        type: "scrape",
        targets: [cart, search].map(({ url }) => ({ url, labels: {} })),
        discovery: null,
        intervalMs: STEP,
        windowMs: 600_000,
        spool,
        queries: {},
      },
      deployments: [{ type: "kubernetes", kubeconfig, context: null, namespaces: ["shop"] }],
      logs: null,
      traces: null,
      featureFlags: null,
      migrations: [],
    },
  });
  let now = T0;
  const clock: Clock = { now: () => now };
  const system = await openLiveSystem({ config, clock, environment: {}, act: false, note: () => {} });
  stops.push(system.close);
  return {
    config,
    clock,
    system,
    cart,
    spool,
    async stopCluster() {
      clusterUp = false;
      await api[Symbol.asyncDispose]();
    },
    pass() {
      now += STEP;
      requests += 10;
    },
  };
}

async function watchOver(shop: { config: Config; clock: Clock; system: LiveSystem; pass: () => void }) {
  const ledger = await openSqliteLedger(":memory:", { clock: shop.clock });
  stops.push(() => ledger.close());
  const events: WatchEvent[] = [];
  const { sources, observe, gaps } = shop.system;
  const { watch } = composeAgent({
    version: "0.0.0",
    config: shop.config,
    clock: shop.clock,
    sources,
    observe,
    gaps,
    executors: [],
    ledger,
    store: null,
    notifier: terminalNotifier,
    emit: (event) => events.push(event),
    postmortem: null,
  });
  return async (ticks: number): Promise<readonly string[]> => {
    const from = events.length;
    for (let i = 0; i < ticks; i += 1) {
      await watch.tick(never);
      shop.pass();
    }
    return events.slice(from).map(({ event, text }) => `${event}: ${text}`);
  };
}

describe("S9: what a look cannot see is said once when it begins and once when it ends", () => {
  it("a target, a spool and a cluster that go silent under the watch", async () => {
    const shop = await openShop();
    const looks = await watchOver(shop);
    expect(await looks(3)).toEqual([]);

    shop.cart.be("refuse");
    const silent = await looks(6);
    // Longer than two steps and a minute: a process that only starts anew is none.
    expect(silent).toEqual([
      expect.stringMatching(
        /^source\.down: scrape is down \(targets of cart\): .*the answer broke off \(1 of 2 targets/,
      ),
    ]);
    shop.cart.be("fine");
    expect(await looks(3)).toEqual(["source.up: scrape answers again (targets of cart)"]);

    await rm(shop.spool, { recursive: true });
    await writeFile(shop.spool, "in the way");
    expect(await looks(3)).toEqual([
      expect.stringContaining("source.down: scrape spool is down (samples after a restart)"),
    ]);
    await rm(shop.spool);
    expect(await looks(3)).toEqual(["source.up: scrape spool answers again (samples after a restart)"]);

    await shop.stopCluster();
    const lost = await looks(3);
    expect(lost.flatMap((line) => /\((.+?)\)/.exec(line)?.[1]?.split("; ") ?? []).sort()).toEqual([
      "changes",
      "pods",
      "rollouts",
      "topology",
    ]);
  });

  it("an investigation carries it to its assessment and to its tools, with since when", async () => {
    const shop = await openShop();
    shop.cart.be("error");
    await shop.stopCluster();
    const { sources, observe, gaps } = shop.system;
    const parts = { version: "0.0.0", config: shop.config, clock: shop.clock, sources, observe, gaps, ask: {} };
    const { incident, caseFile } = await investigateOnce(parts, never);
    const gapOf = (what: RegExp) => caseFile.gaps.find((gap) => what.test(gap.what));
    expect(gapOf(/^target http/)).toMatchObject({ source: "scrape", since: T0 });
    expect(gapOf(/^pods$/)).toMatchObject({ source: "kubernetes", since: T0 });
    expect(incident.unverified.filter((line) => /^(scrape: target|kubernetes: pods)/.test(line))).toHaveLength(2);
  });
});
