import type { LastEvaluation } from "../../core/model/last-evaluation.ts";
import type { Emit } from "./events.ts";
import type { Evaluated } from "./loop.ts";
import { createSourcesDown } from "./sources-down.ts";

/**
 * Records each evaluation of a watch for whoever asks how current everything else is. One record is written at a time, and none
 * waits: a ledger that is slow keeps no evaluation, and what was not recorded in time is followed by the next one. That it could not
 * be written is reported once, until it can be again.
 */
export function recordEvaluations(
  emit: Emit,
  { save, stepMs }: { readonly save: (last: LastEvaluation) => Promise<void>; readonly stepMs: number },
): { readonly emit: Emit; readonly evaluated: Evaluated } {
  const sources = createSourcesDown();
  let isWriting = false;
  let hasFailed = false;
  return {
    emit(event) {
      sources.note(event);
      emit(event);
    },
    evaluated(at) {
      if (isWriting) return;
      isWriting = true;
      save({ at, stepMs, down: sources.down() })
        .then(() => {
          hasFailed = false;
        })
        .catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          const text = `that evaluations succeed cannot be recorded, so that status does not show it: ${why}`;
          if (!hasFailed) emit({ at, event: "tick.failed", text, incident: null });
          hasFailed = true;
        })
        .finally(() => {
          isWriting = false;
        });
    },
  };
}
