import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { WatchProcess } from "../../evals/demo/watch-process.ts";
import { commandLineOf, environmentOf, openFilesOf, remotePortsOf } from "./process-facts.ts";
import { lineOf, openShop, type Shop, warmUp } from "./shop.ts";

const ROOT = join(import.meta.dirname, "../..");
const LONG_MS = 300_000;
const POLL_MS = 20;

describe("the source code", () => {
  const sources = globSync("{core,mcp-tools,agent,knowledge}/**/*.ts", { cwd: ROOT });

  it("of unship names nothing below evals, but for the one file that the composition root hands in", () => {
    const crossing = sources.flatMap((file) =>
      importsOf(file)
        .filter((to) => to.startsWith("evals/"))
        .map((to) => `${file} → ${to}`),
    );
    expect(sources.length).toBeGreaterThan(100);
    expect(crossing).toEqual(["agent/main.ts → evals/lab.ts"]);
  });

  it("that a command loads before it knows which one it is holds nothing of the sandbox", () => {
    const loaded = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file) || !existsSync(join(ROOT, file))) return;
      loaded.add(file);
      for (const to of importsOf(file, "static")) load(to);
    };
    for (const start of ["agent/main.ts", "evals/lab.ts", "agent/compose/commands.ts", "agent/cli/watch.ts"])
      load(start);
    expect(loaded.size).toBeGreaterThan(5);
    expect([...loaded].filter((file) => file.startsWith("evals/sandbox/") || file.startsWith("evals/demo/"))).toEqual(
      [],
    );
  });
});

describe("a watch at work on an incident", () => {
  const own = new AsyncDisposableStack();
  const files = new Set<string>();
  const ports = new Set<number>();
  const published = new Set<number>();
  let shop: Shop;
  let watch: WatchProcess;

  beforeAll(async () => {
    shop = own.use(await openShop());
    watch = await shop.watch();
    const observer = new AbortController();
    own.defer(() => observer.abort());
    const observed = observe(observer.signal);
    await warmUp();
    await shop.sandbox.play({ scenario: "bad-deploy" });
    const closed = await lineOf(watch, shop.directory, ({ event }) => event === "postmortem.written", "postmortem");
    expect(closed.incident?.outcome).toBe("recovered");
    observer.abort();
    await observed;
  }, LONG_MS);

  afterAll(() => own.disposeAsync(), LONG_MS);

  /** Looks all the time at what the process holds open, and at what the sandbox publishes meanwhile. */
  async function observe(until: AbortSignal): Promise<void> {
    const { metricsDiscovery, kubernetes, flags, zipkin } = shop.sandbox.endpoints;
    for (const url of [metricsDiscovery, kubernetes, flags, zipkin]) published.add(Number(new URL(url).port));
    while (!until.aborted) {
      for (const path of openFilesOf(watch.pid)) files.add(path);
      for (const port of remotePortsOf(watch.pid)) ports.add(port);
      const targets = z.array(z.looseObject({ targets: z.array(z.string()) }));
      for (const { targets: list } of targets.parse(await (await fetch(metricsDiscovery)).json())) {
        for (const target of list) published.add(Number(target.split(":").at(-1)));
      }
      await wait(POLL_MS);
    }
  }

  it("has nothing in its environment but what its configuration names", () => {
    const { PATH, HOME, NODE_COMPILE_CACHE: _, ...rest } = environmentOf(watch.pid);
    expect(HOME).toBe(shop.directory);
    expect(PATH).toBe(process.env.PATH);
    expect(rest).toEqual(shop.variables);
    expect(readFileSync(shop.config, "utf8")).toContain(Object.keys(shop.variables)[0]);
  });

  it("is told of its configuration alone", () => {
    expect(commandLineOf(watch.pid).slice(2)).toEqual(["watch", "--config", shop.config, "--json"]);
    const { kubeconfigPath, logs } = shop.sandbox.endpoints;
    const inside = join(shop.directory, "sandbox");
    const named = [...readFileSync(shop.config, "utf8").matchAll(/[^\s"']*unship-e2e-[^\s"']*/g)].map(([path]) => path);
    expect(named.filter((path) => path.startsWith(inside)).toSorted()).toEqual([kubeconfigPath, logs].toSorted());
  });

  it("opens no file of the sandbox but its logs and the kubeconfig, and none of its code", () => {
    const { kubeconfigPath, logs } = shop.sandbox.endpoints;
    const ofSandbox = [...files].filter((path) => path.startsWith(join(shop.directory, "sandbox")));
    expect(ofSandbox.filter((path) => path !== kubeconfigPath && !path.startsWith(logs))).toEqual([]);
    expect([...files].filter((path) => path.startsWith(join(ROOT, "evals")))).toEqual([]);
    // The look was real: its own ledger was seen open.
    expect([...files]).toContain(shop.ledgerPath);
  });

  it("is connected to published endpoints alone", () => {
    expect(ports.size).toBeGreaterThan(3);
    expect([...ports].filter((port) => !published.has(port))).toEqual([]);
  });
});

/** Relative imports of a file, as paths from the root. "static": only those that are loaded with it. */
function importsOf(file: string, which: "static" | "all" = "all"): readonly string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const lazily = which === "all" ? [...text.matchAll(/import\(\s*"(\.[^"]+)"\s*\)/g)] : [];
  const statically = [...text.matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from\s+"(\.[^"]+)"/gm)];
  const types = which === "all" ? [...text.matchAll(/^(?:import|export)\s+type\s[^;]*?from\s+"(\.[^"]+)"/gm)] : [];
  return [...lazily, ...statically, ...types].map(([, to = ""]) => relative(ROOT, resolve(ROOT, dirname(file), to)));
}
