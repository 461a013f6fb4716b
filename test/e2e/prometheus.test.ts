import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { runDemo } from "../../evals/demo/demo.ts";
import { startPrometheus } from "../../evals/demo/prometheus-process.ts";
import { requireReal } from "../real-component.ts";
import { eventually, openShop, story, warmUp } from "./shop.ts";

const LONG_MS = 300_000;
const SEED = join(import.meta.dirname, "../../examples/openclaw-agent-config.yaml");
const SeedFile = z.looseObject({
  data_sources: z.looseObject({ metrics: z.looseObject({ queries: z.record(z.string(), z.string()) }) }),
});

describe.skipIf(!requireReal("prometheus", "prometheus"))("with Debian's Prometheus scraping the sandbox", () => {
  it(
    "a bad deploy ends in the same decision as with the embedded scraper, and recovers by it",
    async () => {
      const said: string[] = [];
      const { result, judged } = await runDemo(
        { scenario: "bad-deploy", realTime: false, prometheus: true, colour: false, columns: 120 },
        (line) => said.push(line),
        new AbortController().signal,
      );
      const tale = said.join("\n");
      expect(result.action, tale).toBe("rollback");
      expect(result.culprit?.change_id, tale).toContain("payments");
      expect(judged.reasons, tale).toEqual([]);
    },
    LONG_MS,
  );

  it(
    "the seed's own queries, word for word, fire its latency condition of 2000 ms at answers of three seconds",
    async () => {
      const { queries } = SeedFile.parse(parse(readFileSync(SEED, "utf8"))).data_sources.metrics;
      expect(Object.keys(queries).toSorted()).toEqual(["error_rate", "p99_latency"]);
      await using shop = await openShop({
        async prometheus({ endpoints }, directory, own) {
          return own.use(await startPrometheus(endpoints.prometheusConfigPath, join(directory, "prometheus"))).url;
        },
        edit(config) {
          config.setIn(["mode"], "observe");
          config.setIn(["data_sources", "metrics", "queries"], queries);
        },
      });
      const watch = await shop.watch();
      const latencies = () =>
        watch.lines.flatMap(({ at, incident }) =>
          (incident?.conditions ?? [])
            .filter(({ metric, state }) => metric === "p99_latency" && state === "firing")
            .map((condition) => ({ at: Date.parse(at), ...condition })),
        );
      await warmUp();
      const slowSince = Date.now();
      await shop.sandbox.play({ scenario: "bad-latency" });
      const tale = () => story([watch], shop.directory);
      const firing = await eventually(() => latencies().find(({ service }) => service === "catalog"), tale);
      // In ms, as the threshold is: the query itself answers in seconds, and no three of those are beyond 2000.
      expect(firing.value, tale()).toBeGreaterThan(2000);
      expect(firing.value, tale()).toBeLessThan(60_000);
      expect(
        latencies().filter(({ at }) => at < slowSince),
        tale(),
      ).toEqual([]);
      expect(shop.foreignWrites(), tale()).toEqual([]);
    },
    LONG_MS,
  );
});
