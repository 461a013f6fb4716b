import { createScrape, type ScrapeOptions } from "../../../../mcp-tools/connectors/scrape/scrape.ts";
import { fakeExporter, type Process } from "../../../fakes/fake-exporter.ts";

export const STEP = 1000;
export const T0 = 1_700_000_000_000;
export const never = new AbortController().signal;
export function options(urls: readonly string[], more: Partial<ScrapeOptions> = {}): ScrapeOptions {
  return {
    targets: urls.map((url) => ({ url, labels: {} })),
    discovery: null,
    intervalMs: STEP,
    windowMs: 600_000,
    spool: null,
    now: T0,
    policyWindowMs: 3000,
    ...more,
  };
}

export const shop = (more: Partial<Process>): Process => ({ service: "shop", version: "1", requests: {}, ...more });

/** Scrapes once per page at T0, T0+1 s, …, each exporter serving its page of that tick (null: it hangs up). */
export async function play(exporters: readonly (readonly (string | null)[])[], more: Partial<ScrapeOptions> = {}) {
  const servers = await Promise.all(exporters.map(() => fakeExporter(() => "")));
  const source = await createScrape(
    options(
      servers.map(({ url }) => url),
      more,
    ),
  );
  const ticks = exporters[0]?.length ?? 0;
  for (let tick = 0; tick < ticks; tick += 1) {
    servers.forEach((server, i) => {
      const page = exporters[i]?.[tick] ?? null;
      server.be(page === null ? "refuse" : "fine");
      server.serve(() => page ?? "");
    });
    await source.scrapeOnce(T0 + tick * STEP, never);
  }
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  const window = { from: T0 + STEP, to: T0 + (ticks - 1) * STEP };
  return {
    async values(metric: string, labels: Record<string, string> = {}, purpose: "statistics" | "policy" = "statistics") {
      const all = await source.range({ metric, window, stepMs: STEP, purpose }, never);
      return all.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))?.values;
    },
    series: (metric: string) => source.range({ metric, window, stepMs: STEP, purpose: "statistics" }, never),
    source,
  };
}
