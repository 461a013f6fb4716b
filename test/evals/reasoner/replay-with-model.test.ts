import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Composition } from "../../../agent/cli/composition.ts";
import { configuredModel } from "../../../agent/models/configured.ts";
import { replayCommand } from "../../../evals/lab/replay-command.ts";
import { Baselines, type ModelFigures, worseThan } from "../../../evals/reasoner/model-score.ts";
import { findBundles, readBundle } from "../../../evals/replay/bundle.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { startFakeAnthropic } from "../../fakes/fake-anthropic.ts";
import type { FakeModelServer } from "../../fakes/fake-model-server.ts";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";
import { noSources } from "../../mcp-tools/scenario.ts";
import { pastComposition } from "../lab/past-composition.ts";

const BUNDLE = join(import.meta.dirname, "../../../evals/data/incidents/case-2db49202");
const own = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), "unship-reasoner-"));
own.defer(() => rmSync(folder, { recursive: true, force: true }));
const servers: FakeModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function run(options: Record<string, unknown>) {
  const { composition, printed } = pastComposition(testConfig(), noSources, 0);
  const to: Composition = {
    ...composition,
    model: async (config) => () => configuredModel(config, "k"),
    writeFile: async (path, text) => writeFileSync(path, text),
  };
  const code = await replayCommand(to, [BUNDLE], { json: true, ...options }, new AbortController().signal);
  const value: { readonly model: string; readonly figures: ModelFigures } = JSON.parse(printed.out);
  return { code, err: printed.err, ...value };
}

describe("replay --reasoner", () => {
  it("scores a model as the core is scored, and says what it claimed, used and cost", async () => {
    const { code, model, figures } = await run({ reasoner: "scripted" });
    expect([code, model]).toEqual([0, "scripted"]);
    expect(figures).toMatchObject({ precision: 1, recall: 1, culpritTop1: 1, groundedness: 1, answered: 1 });
    expect(figures.tokensPerIncident).toBeGreaterThan(1_000);
    expect(figures.costPerIncident).toBeNull();
  });

  it("does not lend the core's answers to a model that errs", async () => {
    const { figures } = await run({ reasoner: "scripted:blames-another" });
    expect(figures).toMatchObject({ precision: 0, recall: 0, culpritTop1: 0, groundedness: 1 });
    // Worse than knowing nothing: one half for each is 0.25.
    expect(figures.brier).toBeGreaterThan(0.25);
  });

  it.each([
    ["anthropic", startFakeAnthropic, ""],
    ["openai", startFakeOpenai, "/v1"],
  ] as const)(
    "asks a model of %s over its own protocol; one that refuses finds nothing",
    async (vendor, start, path) => {
      const server = await start([{ kind: "refuse" }]);
      servers.push(server);
      const { model, figures } = await run({ reasoner: vendor, model: "m-1", baseUrl: server.baseUrl + path });
      expect(model).toBe(`${vendor} m-1`);
      expect(figures).toMatchObject({ recall: 0, culpritTop1: 0, answered: 0, groundedness: null });
      expect(server.requests.length).toBeGreaterThanOrEqual(1);
    },
  );

  it("keeps a baseline by model, passes what is as good, and fails what is worse", async () => {
    const baseline = join(folder, "models.json");
    expect((await run({ reasoner: "scripted", baseline, saveBaseline: true })).code).toBe(0);
    expect((await run({ reasoner: "scripted", baseline })).code).toBe(0);
    const kept: Record<string, ModelFigures> = JSON.parse(readFileSync(baseline, "utf8"));
    const { scripted } = kept;
    writeFileSync(baseline, JSON.stringify({ ...kept, "scripted:blames-another": scripted }));
    const worse = await run({ reasoner: "scripted:blames-another", baseline });
    expect(worse.code).toBe(1);
    expect(worse.err).toMatch(/worse than its baseline:\n {2}precision 0, before 1/);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["a reasoner that is none", { reasoner: "oracle" }, /there is no oracle; known are anthropic, openai, scripted/],
    ["a vendor without a model's name", { reasoner: "openai" }, /name the model with --model/],
    [
      "a baseline that is not there",
      { reasoner: "scripted", baseline: "/nowhere.json" },
      /cannot be read as baselines/,
    ],
  ])("refuses %s, and says what to do", async (_, options, why) => {
    await expect(run(options)).rejects.toThrow(why);
  });
});

describe("the baselines that are kept", () => {
  const DATA = join(import.meta.dirname, "../../../evals");
  const kept = Baselines.parse(JSON.parse(readFileSync(join(DATA, "baselines/models.json"), "utf8")));

  it("are of the bundles that there are, so that they can be compared with", () => {
    const ids = findBundles([join(DATA, "data/incidents")]).map((directory) => readBundle(directory).incident.id);
    for (const { bundles } of Object.values(kept)) expect(bundles).toEqual(ids.sort());
  });

  it("tell a model that repeats the tools from one that errs", () => {
    const { scripted, "scripted:blames-another": wrong } = kept;
    if (scripted === undefined || wrong === undefined) throw new Error("a scripted model has no baseline");
    expect(worseThan(wrong, scripted).join("\n")).toMatch(/precision .*\nrecall .*\nculpritTop1 .*\nbrier/);
    expect(worseThan(scripted, wrong)).toEqual([]);
  });
});

describe("worse than a baseline", () => {
  const kept: ModelFigures = {
    bundles: ["a", "b"],
    precision: 1,
    recall: 0.9,
    culpritTop1: 0.9,
    brier: 0.02,
    groundedness: 0.95,
    answered: 1,
    tokensPerIncident: 18_000,
    costPerIncident: 0.1,
  };
  it.each<[string, Partial<ModelFigures>, readonly string[]]>([
    ["the same", {}, []],
    ["within two in a hundred", { recall: 0.89, groundedness: 0.94, brier: 0.035 }, []],
    ["better", { recall: 1, brier: 0, tokensPerIncident: 9_000 }, []],
    ["less found", { recall: 0.8 }, ["recall 0.8, before 0.9"]],
    ["less grounded", { groundedness: 0.5 }, ["groundedness 0.5, before 0.95"]],
    ["worse calibrated", { brier: 0.1 }, ["brier 0.1, before 0.02"]],
    ["no figure any more", { precision: null }, ["precision none, before 1"]],
    [
      "dearer",
      { tokensPerIncident: 20_000, costPerIncident: 0.2 },
      ["tokensPerIncident 20000, before 18000", "costPerIncident 0.2, before 0.1"],
    ],
  ])("%s", (_, change, lines) => {
    expect(worseThan({ ...kept, ...change }, kept)).toEqual(lines);
  });

  it("is not judged on other bundles", () => {
    expect(() => worseThan({ ...kept, bundles: ["a"] }, kept)).toThrow(/2 other bundles/);
  });
});
