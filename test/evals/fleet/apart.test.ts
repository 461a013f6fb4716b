import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALM_MOMENT, calmWorld } from "../../../evals/fleet/calm.ts";
import { type Composition, finestStep, type Member, type Neighbour, placed } from "../../../evals/fleet/composition.ts";
import { differences, episodesOf, newActs } from "../../../evals/fleet/decisions.ts";
import { type Recorded, readRecorded } from "../../../evals/fleet/recorded.ts";
import { replayComposition } from "../../../evals/fleet/replay-composition.ts";
import { findBundles } from "../../../evals/replay/bundle.ts";
import type { Episode } from "../../../evals/replay/episode.ts";
import { writeBundle } from "../../../evals/scenarios/write.ts";

/**
 * What nothing joins is judged apart (S16), on the examples and with few runs; `unship bench fleet` asks the same of many
 * more recordings. The seed is fixed, so that a failure here can be drawn again.
 */
const SEED = 20_260_603;
const MINUTE = 60_000;
const held = new Map<string, Recorded>();
function read(directory: string): Recorded {
  const recorded = held.get(directory) ?? readRecorded(directory);
  held.set(directory, recorded);
  return recorded;
}
const faulty = findBundles([join(import.meta.dirname, "../../../evals/data/incidents")]).filter(
  (directory) => read(directory).truth?.faulty === true,
);

const scratch = mkdtempSync(join(tmpdir(), "unship-apart-"));
const calm = join(scratch, "calm");
beforeAll(() => {
  const wishes = {
    services: 15,
    deploys: 8,
    beforeMs: 60 * MINUTE,
    afterMs: 25 * MINUTE,
    deploysFromMs: -10 * MINUTE,
    deploysToMs: 5 * MINUTE,
  };
  writeBundle(calm, calmWorld("apart", wishes));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const worldOf = (directory: string, tag: string, atMs = 0): Member => ({
  directory,
  tag,
  moment: read(directory).truth?.onset ?? CALM_MOMENT,
  atMs,
});

const decided = new Map<string, readonly Episode[]>();
async function episodes(
  members: readonly Member[],
  stepMs: number,
  neighbours: readonly Neighbour[] = [],
): Promise<readonly Episode[]> {
  const id = JSON.stringify([members, stepMs, neighbours]);
  const composition: Composition = { id, members, neighbours, beforeMs: 5 * MINUTE, afterMs: 20 * MINUTE, stepMs };
  const known = decided.get(id) ?? (await replayComposition(composition, read, new AbortController().signal)).episodes;
  decided.set(id, known);
  return known;
}

const stepOf = (...directories: readonly string[]): number =>
  finestStep(directories.map((directory) => read(directory).bundle));
const incident = fc.constantFrom(...faulty);
const runs = (numRuns: number) => ({ numRuns, seed: SEED, endOnFailure: true });

describe("incidents that nothing joins", () => {
  it("are decided together as each is alone, whatever lies between their onsets", { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(incident, incident, fc.constantFrom(0, 30, 60, 120, 300, 600), async (first, second, apart) => {
        const [a, b] = [worldOf(first, "a"), worldOf(second, "b", apart * 1000)];
        const stepMs = stepOf(first, second);
        const together = await episodes([a, b], stepMs);
        for (const one of [a, b])
          expect(differences(await episodes([one], stepMs), episodesOf(together, one.tag), stepMs)).toEqual([]);
      }),
      runs(4),
    );
  });

  it("are decided beside healthy services and their deploys as alone, measured or not", {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(incident, fc.boolean(), fc.boolean(), async (directory, measured, edges) => {
        const one = { ...worldOf(directory, "a"), edges };
        const beside: Member = { ...worldOf(calm, "calm"), edges, ...(measured ? {} : { only: "changes" }) };
        const stepMs = stepOf(directory);
        const together = await episodes([one, beside], stepMs);
        expect(differences(await episodes([one], stepMs), episodesOf(together, "a"), stepMs)).toEqual([]);
        expect(episodesOf(together, "calm").filter(({ action }) => action !== "no_action")).toEqual([]);
      }),
      runs(3),
    );
  });

  it("get no act from an unmeasured neighbour that they would not get alone", { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        incident,
        fc.constantFrom<Neighbour["is"]>("caller", "callee"),
        fc.integer({ min: -180, max: 60 }),
        async (directory, is, seconds) => {
          const one = worldOf(directory, "a");
          const { bundle, truth } = placed(read(directory), one);
          const of = bundle.changes.find(({ id }) => id === truth?.culprit)?.service ?? "";
          const stepMs = stepOf(directory);
          const together = await episodes([one], stepMs, [{ of, is, atMs: seconds * 1000 }]);
          expect(newActs(await episodes([one], stepMs), together)).toEqual([]);
        },
      ),
      runs(3),
    );
  });
});
