import { createAssessor } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf } from "../../core/detection/sample-memory.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Patience, Sources } from "../../core/ports.ts";

/** What a gate knows by what it read itself (S1). */
export interface GateEvidence {
  /** Everything known at `now` (Unix ms, no earlier than the last one), read from all sources; what does not come in time is a gap (S9). */
  gather(now: number): Promise<CaseFile>;
}

export interface GateEvidenceParts {
  readonly sources: Sources;
  readonly config: Config;
  /** How long a question waits for sources that are late; absent: until they have answered. */
  readonly patience?: Patience;
  /** Where the older samples of many signals stand; absent: in memory. */
  readonly openShelf?: OpenShelf;
}

/**
 * One assessor for all questions of a gate, which nobody else writes into. Of samples it reads what is new: hours of them,
 * and weeks of history, for each question would be more than a busy Prometheus answers in time. What changed, what stands
 * where and what explains it is read anew each time. Questions come in turns, since an assessor takes one at a time. No
 * question's own end cuts its reads off: the next one takes them up.
 */
export function createGateEvidence({ sources, config, ...options }: GateEvidenceParts): GateEvidence {
  const assessor = createAssessor({ sources, config }, options);
  const { signal } = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    gather(now) {
      const mine = turn.then(async () => {
        // Twice at one moment of a virtual clock: something may have been executed in between.
        await assessor.tick(now, signal);
        return assessor.gather(now, signal);
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
