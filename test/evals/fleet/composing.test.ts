import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type Composition, composed, finestStep, ORIGIN, placed } from "../../../evals/fleet/composition.ts";
import { differences, episodesOf } from "../../../evals/fleet/decisions.ts";
import { namesOf, type Recorded, readRecorded } from "../../../evals/fleet/recorded.ts";
import { renamedApart } from "../../../evals/fleet/rename.ts";
import { shifted } from "../../../evals/fleet/shift.ts";
import { unmeasured, withoutEdges } from "../../../evals/fleet/unite.ts";
import { writeComposition } from "../../../evals/fleet/write.ts";
import { findBundles, readBundle, readTruth } from "../../../evals/replay/bundle.ts";
import type { Episode } from "../../../evals/replay/episode.ts";
import { replayRecording } from "../../../evals/replay/replay.ts";
import { configFor } from "../../../evals/replay/seed-config.ts";

const folders = findBundles([join(import.meta.dirname, "../../../evals/data/incidents")]);
const known = new Map<string, Recorded>();
function read(directory: string): Recorded {
  const recorded = known.get(directory) ?? readRecorded(directory);
  known.set(directory, recorded);
  return recorded;
}
const faulty = folders.filter((directory) => read(directory).truth?.faulty === true);
const scratch = mkdtempSync(join(tmpdir(), "unship-composing-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Whatever tells two worlds apart in one recording. */
function identities({ bundle: { changes, spans, alerts }, bundle }: Recorded): ReadonlySet<string> {
  return new Set([
    ...namesOf(bundle),
    ...changes.flatMap(({ id, commit, flag }) => [id, commit, flag].filter((one) => one !== undefined)),
    ...spans.flatMap(({ traceId, spanId }) => [traceId, spanId]),
    ...alerts.map(({ fingerprint }) => fingerprint),
  ]);
}

const aBundle = fc.constantFrom(...faulty);

describe("a world under names of its own", () => {
  it("shares no name and no id with the same world under another tag, whatever the bundle", () => {
    fc.assert(
      fc.property(fc.constantFrom(...folders), (directory) => {
        const [one, other] = ["a", "b"].map((tag) => identities(renamedApart(read(directory), tag)));
        expect([...(one ?? [])].filter((id) => other?.has(id))).toEqual([]);
        expect(one?.size).toBe(identities(read(directory)).size);
      }),
      { numRuns: folders.length },
    );
  });

  it("keeps none of its names in any part that a reader of the bundle sees", () => {
    const edge = { caller: "cart", callee: "orders", source: "spans", confidence: 0.9 } as const;
    for (const directory of folders) {
      const { bundle, truth } = read(directory);
      const topology = {
        edges: bundle.topology?.edges ?? [],
        external: bundle.topology?.external ?? [],
        details: [{ ...edge, traffic: { perSecond: 3, at: bundle.incident.watch.start } }],
        reporting: ["cart"],
      };
      const known = { bundle: { ...bundle, topology }, truth };
      const { bundle: renamed } = renamedApart(known, "x");
      const text = JSON.stringify({ ...renamed, directory: "", incident: { ...renamed.incident, title: "" } });
      const left = namesOf(known.bundle).filter((name) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text));
      expect([directory, left]).toEqual([directory, []]);
    }
  });

  it("names its services anew wherever a text speaks of them, and in no longer word", () => {
    const recorded = read(faulty[0] ?? "");
    const [name = ""] = namesOf(recorded.bundle);
    const logs = [`upstream ${name} answered 503`, `${name}-db refused`, `my-${name} is another`].map((message) => ({
      at: 0,
      service: name,
      level: "error" as const,
      message,
    }));
    const { bundle } = renamedApart({ ...recorded, bundle: { ...recorded.bundle, logs } }, "x");
    expect(bundle.logs.map(({ message }) => message)).toEqual([
      `upstream x-${name} answered 503`,
      `${name}-db refused`,
      `my-${name} is another`,
    ]);
  });

  it("moves back to what it was", () => {
    fc.assert(
      fc.property(aBundle, fc.integer({ min: -1e9, max: 1e9 }), (directory, by) => {
        expect(shifted(shifted(read(directory), by), -by)).toEqual(read(directory));
      }),
      { numRuns: 5 },
    );
  });

  it("gets the same decisions under other names at another time", { timeout: 120_000 }, async () => {
    const recorded = read(faulty[2] ?? "");
    const other = shifted(renamedApart(recorded, "x"), 86_400_000);
    const decided = async ({ bundle }: Recorded) =>
      (await replayRecording(bundle, configFor(bundle, undefined, undefined), "test", new AbortController().signal))
        .episodes;
    const [before, after] = [await decided(recorded), await decided(other)];
    const moved = before.map((episode) => renamedEpisode(episode, 86_400_000));
    expect(before.some(({ action }) => action === "rollback")).toBe(true);
    expect(differences(moved, episodesOf(after, "x"), 0)).toEqual([]);
  });
});

function renamedEpisode(episode: Episode, by: number): Episode {
  const later = (at: string | null) => (at === null ? null : new Date(Date.parse(at) + by).toISOString());
  const culprit = episode.culprit === null ? null : { ...episode.culprit, change_id: `x.${episode.culprit.change_id}` };
  const targets = episode.targets.map((id) => `x.${id}`);
  return {
    ...episode,
    culprit,
    targets,
    decided_at: later(episode.decided_at),
    executed_at: later(episode.executed_at),
  };
}

const pairOf = (first: string, second: string, seconds: number): Composition => {
  const [a, b] = [read(first), read(second)];
  const member = (tag: string, { bundle, truth }: Recorded, atMs: number) => ({
    directory: bundle.directory,
    tag,
    moment: truth?.onset ?? 0,
    atMs,
  });
  return {
    id: "pair",
    members: [member("a", a, 0), member("b", b, seconds * 1000)],
    beforeMs: 360_000,
    afterMs: 1_800_000,
    stepMs: finestStep([a.bundle, b.bundle]),
  };
};

describe("two worlds laid together", () => {
  it("have their true onsets as far apart as asked, to within half a step of each, and all that each recorded", () => {
    fc.assert(
      fc.property(aBundle, aBundle, fc.constantFrom(0, 30, 60, 120, 300, 600), (first, second, seconds) => {
        const composition = pairOf(first, second, seconds);
        const [one, other] = composition.members.map((member) => placed(read(member.directory), member));
        const step = composition.stepMs;
        expect(Math.abs((one?.truth?.onset ?? 0) - ORIGIN)).toBeLessThanOrEqual(step / 2);
        expect(Math.abs((other?.truth?.onset ?? 0) - ORIGIN - seconds * 1000)).toBeLessThanOrEqual(step / 2);
        const bundle = composed(composition, read);
        const samples = (all: typeof bundle.series) => all.reduce((sum, { values }) => sum + values.length, 0);
        expect(samples(bundle.series)).toBe(samples(read(first).bundle.series) + samples(read(second).bundle.series));
        expect(bundle.changes.map(({ startedAt }) => startedAt)).toEqual(
          bundle.changes.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 10 },
    );
  });

  it("stand on disk as a bundle that is read back as it was, each truth beside it", () => {
    const composition = pairOf(faulty[0] ?? "", faulty[1] ?? "", 60);
    const directory = join(scratch, "pair");
    writeComposition(composition, read, directory);
    const there = readBundle(directory);
    expect({ ...there, directory: "" }).toEqual(composed(composition, read));
    const [one, other] = composition.members.map((member) => placed(read(member.directory), member).truth);
    expect(readTruth(directory)).toMatchObject({
      faulty: true,
      culprit: one?.culprit,
      targets: [...(one?.targets ?? []), ...(other?.targets ?? [])],
      incidents: [one, other].map((truth) => ({ culprit: truth?.culprit, onset: truth?.onset })),
    });
    const members: Record<string, { culprit: string }> = JSON.parse(
      readFileSync(join(directory, "members.json"), "utf8"),
    );
    const ids = new Set(there.changes.map(({ id }) => id));
    expect(Object.keys(members)).toEqual(["a", "b"]);
    expect(Object.values(members).every(({ culprit }) => ids.has(culprit))).toBe(true);
  });

  it("leaves of an unmeasured world its changes alone, and of one without edges no call graph", () => {
    const { bundle } = read(faulty[0] ?? "");
    expect(unmeasured(bundle)).toMatchObject({ series: [], logs: [], spans: [], alerts: [], changes: bundle.changes });
    expect(withoutEdges(bundle).topology).toBeNull();
  });
});

describe("differences between decisions", () => {
  const act: Episode = {
    detected_at: "2026-06-03T12:00:15.000Z",
    onset_estimate: null,
    decided_at: "2026-06-03T12:00:30.000Z",
    service: "a-cart",
    signals: [],
    affected_services: ["a-cart"],
    root_causes: [],
    business_impact: null,
    action: "rollback",
    culprit: { change_id: "a.1", probability: 0.9 },
    candidates: [],
    no_change_probability: 0.1,
    targets: ["a.1"],
    guardrail: { verdict: "allow", reasons: [] },
    executed_at: "2026-06-03T12:01:00.000Z",
    usage: { input_tokens: 0, output_tokens: 0, tool_calls: 0 },
  };
  const quiet: Episode = { ...act, action: "no_action", culprit: null, targets: [] };
  it.each<[string, readonly Episode[], readonly Episode[], readonly string[]]>([
    ["the same decision is no difference", [act], [act], []],
    ["one evaluation later is none", [act], [{ ...act, decided_at: "2026-06-03T12:00:45.000Z" }], []],
    ["two evaluations later is one", [act], [{ ...act, decided_at: "2026-06-03T12:01:00.000Z" }], ["decided"]],
    ["one that was never executed is one", [act], [{ ...act, executed_at: null }], ["executed"]],
    ["another culprit is one", [act], [{ ...act, culprit: { change_id: "a.2", probability: 1 } }], ["culprit"]],
    ["one more target is one", [act], [{ ...act, targets: ["a.1", "a.2"] }], ["targets"]],
    ["a question in place of an act is one", [act], [{ ...act, action: "hotfix_recommendation" }], ["action"]],
    ["nothing in place of an act is one", [act], [quiet], ["missing"]],
    ["an act in place of nothing is one", [quiet], [act], ["added"]],
    ["incidents that called for nothing are no decisions", [act], [quiet, act, quiet], []],
  ])("%s", (_, alone, together, kinds) => {
    expect(differences(alone, together, 15_000).map(({ kind }) => kind)).toEqual(kinds);
  });

  it("counts an act on both worlds for each of them", () => {
    const both = { ...act, targets: ["a.1", "b.1"] };
    expect([episodesOf([both], "a"), episodesOf([both], "b")]).toEqual([[both], [both]]);
  });
});
