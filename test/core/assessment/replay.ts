import { assess } from "../../../core/assessment/assess.ts";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import { episodes } from "../../../core/assessment/partition.ts";
import type { Config } from "../../../core/config/config.ts";
import type { Assessment } from "../../../core/model/assessment.ts";
import type { Sources } from "../../../core/ports.ts";

export interface Replayed {
  /** The first assessment that acts and is not withdrawn before policy lets it happen; null: none. */
  readonly acting: Assessment | null;
  readonly executedAt: number | null;
  /** The last assessment of anything that was worse, acting or not. */
  readonly last: Assessment | null;
  readonly detectedAt: number | null;
  readonly withdrawn: number;
}

/** Walks a world's clock as the watch does: a tick a step; an assessment whenever something is worse. */
export async function replay(
  world: { readonly sources: Sources; readonly startAt: number; readonly endAt: number; now: number },
  config: Config,
  each: (assessment: Assessment) => void = () => undefined,
): Promise<Replayed> {
  const assessor = createAssessor({ sources: world.sources, config });
  const { signal } = new AbortController();
  let acting: Assessment | null = null;
  let last: Assessment | null = null;
  let detectedAt: number | null = null;
  let withdrawn = 0;
  for (let now = world.startAt; now <= world.endAt; now += config.watch.stepMs) {
    world.now = now;
    const { findings } = await assessor.tick(now, signal);
    if (!findings.some(({ verdict }) => verdict === "worse")) {
      if (acting !== null) withdrawn += 1;
      acting = null;
      continue;
    }
    const caseFile = await assessor.gather(now, signal);
    for (const services of episodes(caseFile)) {
      detectedAt ??= now;
      const assessment = assess(caseFile, config, services);
      each(assessment);
      last = assessment;
      if (assessment.decision.action === "no_action") {
        if (acting?.services.some((service) => services.includes(service))) {
          acting = null;
          withdrawn += 1;
        }
        continue;
      }
      acting ??= assessment;
      if (assessment.decision.automatic) return { acting, executedAt: now, last, detectedAt, withdrawn };
    }
  }
  return { acting, executedAt: null, last, detectedAt, withdrawn };
}
