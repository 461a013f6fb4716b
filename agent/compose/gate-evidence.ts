import { type Assessor, createAssessor } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf } from "../../core/detection/sample-memory.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Clock, Patience, Sources } from "../../core/ports.ts";
import { GATE_LIMITS } from "../../mcp-tools/gate/parts.ts";

/** What a gate knows by what it read itself (S1). */
export interface GateEvidence {
  /**
   * Everything known, read from all sources no earlier than it was asked for; what does not come in time is a gap (S9).
   * Questions that wait for their turn have one answer, since they would all read the same.
   */
  gather(): Promise<CaseFile>;
}

export interface GateEvidenceParts {
  readonly sources: Sources;
  readonly config: Config;
  readonly clock: Clock;
  /** How long a question waits for sources that are late; absent: until they have answered. */
  readonly patience?: Patience;
  /** Where the older samples of many signals stand; absent: in memory. */
  readonly openShelf?: OpenShelf;
}

/**
 * What was read is kept for so long after a question: twice the lifetime of a plan, at whose end it is asked about once
 * more. After that everything is read anew, and until then takes no room.
 */
export const KEPT_MS = 2 * GATE_LIMITS.planLifetimeMs;

/**
 * One assessor for the questions of a gate, which nobody else writes into. Of samples it reads what is new: hours of them,
 * and weeks of history, for each question would be more than a busy Prometheus answers in time. What changed, what stands
 * where and what explains it is read anew each time. An assessor takes one question at a time. No question's own end cuts
 * its reads off: the next one takes them up.
 */
export function createGateEvidence({ sources, config, clock, ...options }: GateEvidenceParts): GateEvidence {
  const { signal } = new AbortController();
  let kept: { readonly assessor: Assessor; askedAt: number } | null = null;
  let forgetting: NodeJS.Timeout | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let next: Promise<CaseFile> | null = null;

  function forget(): void {
    kept?.assessor.engine.close();
    kept = null;
  }

  async function read(): Promise<CaseFile> {
    const now = clock.now();
    clearTimeout(forgetting);
    if (kept !== null && now - kept.askedAt > KEPT_MS) forget();
    kept ??= { assessor: createAssessor({ sources, config }, options), askedAt: now };
    kept.askedAt = now;
    const { assessor } = kept;
    try {
      // Twice at one moment of a virtual clock: something may have been executed in between.
      await assessor.tick(now, signal);
      return await assessor.gather(now, signal);
    } finally {
      forgetting = setTimeout(forget, KEPT_MS).unref();
    }
  }

  return {
    gather() {
      if (next !== null) return next;
      const mine = turn.then(() => {
        next = null;
        return read();
      });
      next = mine;
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
