import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { Episode } from "../../../evals/replay/episode.ts";
import { temporaryFolder, time, writeSmallBundle } from "../../evals/replay/small-bundle.ts";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";
import { ROOT, unship } from "./run-cli.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const broken = writeSmallBundle(folder, { id: "broken", brokenAt: 8.25 });
const quiet = writeSmallBundle(folder, { id: "quiet" });
const pointAt = async (bundle: string, ...words: readonly string[]): Promise<Episode> => {
  const { code, out, err } = await unship(["investigate", "--bundle", bundle, "--json", ...words]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};
const total = ({ candidates, no_change_probability: none }: Episode) =>
  candidates.reduce((sum, { probability }) => sum + probability, none);

describe("unship investigate --bundle", () => {
  it("writes one episode of what somebody points at, every service ranked as where it starts", async () => {
    const episode = await pointAt(broken, "--service", "web", "--metric", "error_rate");
    expect(episode).toMatchObject({
      detected_at: time(20),
      decided_at: time(20),
      onset_estimate: time(8.25),
      signals: ["error_rate"],
      culprit: { change_id: "deploy-cart-2" },
      executed_at: null,
    });
    expect(episode.root_causes.map(({ service }) => service)).toEqual(["cart", "web"]);
    expect(total(episode)).toBeCloseTo(1, 9);
    expect(Object.keys(episode)).toEqual([
      "detected_at",
      "onset_estimate",
      "decided_at",
      "service",
      "signals",
      "affected_services",
      "root_causes",
      "business_impact",
      "action",
      "culprit",
      "candidates",
      "no_change_probability",
      "targets",
      "guardrail",
      "executed_at",
      "usage",
    ]);
  });

  it("knows nothing later than --at", async () => {
    const episode = await pointAt(broken, "--service", "cart", "--at", time(8));
    expect(episode).toMatchObject({ detected_at: time(8), action: "no_action", targets: [] });
  });

  it("asks the model that the configuration names", async () => {
    const server = await startFakeOpenai([{ kind: "say", text: "I agree." }]);
    try {
      const config = join(folder, "with-model.yaml");
      const model = { provider: "openai", model: "m-1", base_url: `${server.baseUrl}/v1`, api_key: `\${MODEL_KEY}` };
      writeFileSync(config, stringify({ ...parse(readFileSync(join(ROOT, "examples/unship.yaml"), "utf8")), model }));
      const ran = await unship(["investigate", "--bundle", broken, "-c", config, "--service", "cart"], {
        variables: { MODEL_KEY: "key-1" },
      });
      expect(ran).toMatchObject({ code: 0 });
      expect(server.requests.length).toBeGreaterThan(0);
    } finally {
      await server.close();
    }
  });

  it("a service that is well stays as it is, and is still ranked", async () => {
    const episode = await pointAt(quiet, "--service", "cart");
    expect(episode).toMatchObject({ action: "no_action", targets: [] });
    expect(episode.root_causes.map(({ service }) => service).toSorted()).toEqual(["cart", "web"]);
    expect(total(episode)).toBeCloseTo(1, 9);
  });

  it.each([
    ["a service that nobody measures", ["--service", "pay"], "There is no service pay; known are cart, web."],
    [
      "a metric that it does not have",
      ["--service", "cart", "--metric", "orders"],
      "There is no metric «orders of cart»; known are error_rate, request_rate.",
    ],
    ["a moment outside the watch", ["--service", "cart", "--at", time(30)], "is not between"],
  ])("%s is named, with what there is, and exits with 2", async (_, words, message) => {
    const { code, out, err } = await unship(["investigate", "--bundle", broken, "--json", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });
});

describe("S9: unship investigate just after start", () => {
  it.each([
    ["a service that the file describes is judged, not called unknown", ["--service", "checkout"], 0, ""],
    ["so is one that only the call graph names", ["--service", "web"], 0, ""],
    ["and a metric that a source is asked for", ["--service", "checkout", "--metric", "error_rate"], 0, ""],
    ["a misspelt one is named with those that there are", ["--service", "chekout"], 2, "known are checkout, web."],
    [
      "a metric that no source is asked for is named",
      ["--metric", "orders"],
      2,
      "There is no metric orders; known are",
    ],
  ])("%s", async (_, words, wanted, says) => {
    const config = join(folder, "unship.yaml");
    writeFileSync(
      config,
      [
        "data_sources: { metrics: { type: prometheus, endpoint: 'http://127.0.0.1:9' } }",
        "services: { checkout: { namespace: shop } }",
        "topology: { edges: [[web, checkout]] }",
      ].join("\n"),
    );
    const { code, out, err } = await unship(["investigate", "-c", config, ...words]);
    expect(code).toBe(wanted);
    expect(err).toContain(says);
    if (wanted === 0) expect(out).toContain("nothing is judged yet");
  });
});
