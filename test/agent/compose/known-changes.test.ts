import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { investigateOnce } from "../../../agent/compose/investigate.ts";
import { answerText } from "../../../agent/compose/step-words.ts";
import { suspects } from "../../../agent/watch/wording.ts";
import type { Config } from "../../../core/config/config.ts";
import { incidentLines } from "../../../core/guardrails/incident-text.ts";
import { Incident } from "../../../core/model/incident.ts";
import { toEpisode } from "../../../evals/replay/episode.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { temporaryFolder, writeSmallBundle } from "../../evals/replay/small-bundle.ts";
import { incident } from "../../knowledge/incidents.ts";
import { external, held, hotfix, unknown } from "../../knowledge/variants.ts";
import { noSources } from "../../mcp-tools/scenario.ts";
import { unship } from "../cli/run-cli.ts";

const SERVICE: Config["services"][string] = {
  ...{ namespace: "production", workload: null, argocdApplication: null, flags: [], criticality: "medium" },
  ...{ revenuePerMinute: null, routes: [], mode: null },
};
const UNHEARD = "kubernetes did not say changes: it refused the request with status 403";
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whatever people read of an incident that has a ranking, on each surface. */
const surfaces: readonly (readonly [string, (one: Incident) => string])[] = [
  ["a notice", (one) => incidentLines(one, { now: one.detectedAt, open: [], services: {} }).join("\n")],
  ["the watch's line", (one) => suspects(one)],
  ["a postmortem", (one) => postmortem(one, [], [], { series: [], chartFile: "chart.svg" })],
];
const told = [incident, external, held, hotfix, unknown].filter(({ ranking }) => ranking !== null);
const cases = surfaces.flatMap(([name, words]) => told.map((one) => [name, one.service, one, words] as const));

describe("S15: 'no change' is said of the changes that are known, on each surface", () => {
  it.each(cases)("%s of %s", (_, __, one, words) => {
    const { unheard: _own, ...old } = one;
    // Words that others wrote or that the core gave as its reason stay what they were.
    const claims = (text: string) => text.match(/no (?:known )?change(?=,| \d| is the culprit| <| >)/gi) ?? [];
    expect(new Set(claims(words({ ...one, unheard: [] })).map((text) => text.toLowerCase()))).toEqual(
      new Set(["no change"]),
    );
    for (const unsure of [{ ...one, unheard: [UNHEARD] }, old])
      expect(new Set(claims(words(unsure)).map((text) => text.toLowerCase()))).toEqual(new Set(["no known change"]));
  });

  it("a postmortem and an episode say what was not heard", () => {
    const one = { ...external, unheard: [UNHEARD] };
    expect(postmortem(one, [], [], { series: [], chartFile: "chart.svg" })).toContain(
      `Other changes may have been made: ${UNHEARD}.`,
    );
    expect(toEpisode(one).unheard).toEqual([UNHEARD]);
    expect(toEpisode({ ...one, unheard: [] })).not.toHaveProperty("unheard");
  });

  it("a step's answer is of the known changes where not all are", () => {
    const ranking = { candidates: [], noChangeProbability: 0.97, noChangeReasons: [], rootCauses: [] };
    const answers = { correlate_timing: { ranking, threshold: 0.8, reached: false } };
    expect(answerText("correlate_timing", answers, { changes: [], unheard: [] })).toBe(
      "no candidate; no change is the culprit: 97 %",
    );
    expect(answerText("correlate_timing", answers, { changes: [], unheard: [UNHEARD] })).toBe(
      "no candidate; no known change is the culprit: 97 %",
    );
  });

  it("unship investigate says it as its decision does, of a recording without a source of changes", async () => {
    const words = async (id: string, gap: object | null) => {
      const bundle = writeSmallBundle(folder, { id, brokenAt: 8.25 });
      if (gap !== null) appendFileSync(join(bundle, "gaps.jsonl"), `${JSON.stringify(gap)}\n`);
      const { code, out } = await unship(["investigate", "--bundle", bundle, "--service", "web"]);
      expect(code).toBe(0);
      return out;
    };
    expect(await words("heard", null)).toMatch(/ - no change is the culprit: /);
    const old = { source: "argocd", what: "changes", because: "it is away" };
    const partial = { ...old, of: "changes", how: "partial", what: "ConfigMaps edited in place" };
    for (const [id, gap] of Object.entries({ old, partial })) {
      expect(await words(id, gap)).toMatch(/ - no known change is the culprit: /);
      expect(await words(`${id}-again`, gap)).not.toMatch(/ no change is the culprit/);
    }
  });
});

describe("incidents that were stored before it was recorded what was not heard", () => {
  it("are read as they were", () => {
    const { unheard: _, ...old } = incident;
    expect(Incident.parse(JSON.parse(JSON.stringify(old)))).toEqual(old);
    expect(Incident.parse(JSON.parse(JSON.stringify(incident)))).toEqual(incident);
  });
});

describe("S9: a service that the file describes and nobody measures yet", () => {
  it("is judged not to be judged, and is not called unknown", async () => {
    const described = { ...testConfig(), services: { pay: SERVICE } };
    const parts = { version: "0", config: described, clock: { now: () => 1e12 }, sources: noSources };
    const asked = { ...parts, observe: async () => undefined, ask: { service: "pay", metric: "error_rate" } };
    const { incident: found } = await investigateOnce(asked, new AbortController().signal);
    expect(found.decision?.why).toEqual(["nothing is judged yet: too few samples are known of pay"]);
    await expect(
      investigateOnce({ ...asked, ask: { service: "pya" } }, new AbortController().signal),
    ).rejects.toMatchObject({ code: "service.unknown" });
  });
});
