import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extentWith } from "../../../core/model/extent.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { asRecorded, decidedAt } from "../../../core/model/recorded.ts";
import { durationText } from "../../../core/model/time.ts";
import { toEpisode } from "../../../evals/replay/episode.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

const BLAMELESS = { action: "no_action", culprit: null, noChangeProbability: 0.95, targets: [] } as const;
const KINDS = {
  blameless: BLAMELESS,
  unnoticed: { ...BLAMELESS, condition: "none" },
  hotfix: { action: "hotfix_recommendation", needsPerson: ["it is a migration"], targets: [] },
  "for a person": { policy: "human_review", needsPerson: ["no automatic condition holds"] },
  automatic: {},
} as const;

describe("the record of an incident", () => {
  const beat = fc.record({
    kind: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]), "well" as const),
    services: fc.subarray(["checkout", "cart", "search"], { minLength: 1 }),
    sinceMs: fc.constantFrom(0, STEP_MS, 60_000),
    steps: fc.constantFrom(1, 3, 8, 14),
  });

  it("keeps its first onset and detection, all that was ever degraded, and an order of times, whatever comes and goes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(beat, { minLength: 1, maxLength: 7 }), async (beats) => {
        await using world = await openWatchWorld();
        const seen = new Map<string, { services: Set<string>; signals: Set<string>; detectedAt: number }>();
        for (const { kind, services, sinceMs, steps } of beats) {
          const change = kind === "well" ? null : KINDS[kind];
          world.troubles =
            change === null ? [] : [world.trouble({ ...change, services, since: world.time.now - sinceMs })];
          for (let step = 0; step < steps; step += 1) {
            await world.step();
            for (const { id, affectedServices, findings, detectedAt } of await world.incidents()) {
              const known = seen.get(id) ?? { services: new Set(), signals: new Set(), detectedAt };
              seen.set(id, known);
              for (const one of affectedServices) known.services.add(one);
              for (const one of findings)
                if (one.verdict === "worse") known.signals.add(`${one.service} ${one.metric}`);
            }
          }
        }
        for (const incident of await world.incidents()) {
          const record = asRecorded(incident);
          const known = seen.get(incident.id);
          expect(record.detectedAt).toBe(known?.detectedAt);
          expect(record.onset?.at ?? 0).toBeLessThanOrEqual(record.detectedAt);
          expect(decidedAt(record) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(record.detectedAt);
          expect(new Set(record.affectedServices)).toEqual(known?.services);
          const worse = record.findings.filter(({ verdict }) => verdict === "worse");
          expect(worse.map(({ service, metric }) => `${service} ${metric}`)).toEqual(
            expect.arrayContaining([...(known?.signals ?? [])]),
          );
          // How long it took is said from the onset that the record and its postmortem tell.
          const ends = record.timeline.flatMap(({ at, detail }) => {
            const said = /([\dhms]+) after onset/.exec(detail)?.[1];
            return said === undefined ? [] : [[said, durationText(at - (record.onset?.at ?? 0))]];
          });
          for (const [said, lasted] of ends) expect(said).toBe(lasted);
          const { onset_estimate, detected_at, decided_at } = toEpisode(incident);
          const times = [onset_estimate, detected_at, decided_at].flatMap((one) => one ?? []);
          expect(times).toEqual(times.toSorted());
        }
      }),
      { numRuns: 30 },
    );
  });

  it("says when its signals were back, where it ended so without an act", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ ...BLAMELESS })];
    await world.step(20);
    world.troubles = [];
    await world.step(20);
    const incident = await world.incident();
    expect(incident).toMatchObject({ stage: "closed", backSince: expect.any(Number) });
    const draft = postmortem(incident);
    expect(draft).toContain("until none of its signals was degraded any more");
    expect(draft).not.toContain("recovery was not confirmed");
    expect(draft).toContain(`Decided at ${new Date(decidedAt(incident) ?? 0).toISOString().slice(11, 19)}`);
  });
});

describe("the extent of an incident", () => {
  const finding = fc.record({
    service: fc.constantFrom("a", "b"),
    metric: fc.constantFrom("error_rate", "p99_latency"),
    current: fc.double({ min: 0, max: 1, noNaN: true }),
    verdict: fc.constantFrom("worse", "no-worse"),
  });
  const found = fc.record({ at: fc.nat({ max: 1000 }), findings: fc.array(finding, { maxLength: 4 }) });

  it("never shrinks, and keeps of each signal what was worst", () => {
    fc.assert(
      fc.property(fc.array(found, { minLength: 1, maxLength: 8 }), (looks) => {
        const whole = looks.map(({ at, findings }) => ({
          detectedAt: 500,
          onset: { at, earliest: at, latest: at },
          services: findings.map(({ service }) => service),
          findings: findings.map(
            (one) => ({ ...one, baseline: 0, labels: {}, strength: 1, onset: null }) as unknown as Finding,
          ),
          impact: null,
        }));
        const [first, ...more] = whole;
        if (first === undefined) return;
        const extent = more.reduce(extentWith, extentWith(undefined, first));
        const all = whole.flatMap(({ findings }) => findings).filter(({ verdict }) => verdict === "worse");
        expect(new Set(extent.services)).toEqual(new Set(whole.flatMap(({ services }) => services)));
        expect(extent.onset?.at ?? 0).toBeLessThanOrEqual(extent.detectedAt);
        for (const one of extent.findings) {
          const same = all.filter(({ service, metric }) => service === one.service && metric === one.metric);
          expect(one.current).toBe(Math.max(...same.map(({ current }) => current ?? 0)));
        }
        expect(extent.findings).toHaveLength(new Set(all.map(({ service, metric }) => `${service} ${metric}`)).size);
      }),
    );
  });
});
