import { isPager } from "../../core/guardrails/act-notice.ts";
import type { Clock, Notice, Notifier } from "../../core/ports.ts";
import type { Bundle } from "../replay/bundle.ts";
import type { Episode } from "../replay/episode.ts";
import { replayRecording } from "../replay/replay.ts";
import { configFor } from "../replay/seed-config.ts";
import { type Composition, composed } from "./composition.ts";
import type { Recorded } from "./recorded.ts";
import { withUnboundLimits } from "./unbound-limits.ts";

/** What came of a composition. */
export interface Composed {
  readonly id: string;
  readonly episodes: readonly Episode[];
  /** When somebody was paged first for each incident (Unix ms): a pager groups what it is told of one incident. */
  readonly pagedAt: readonly number[];
}

/** Replays a composition under limits that bind nothing, with the configuration that a replay has without a file. */
export async function replayComposition(
  composition: Composition,
  read: (directory: string) => Recorded,
  abort: AbortSignal,
): Promise<Composed> {
  return {
    id: composition.id,
    ...(await replayUnbound(composed(composition, read), composition.stepMs, abort)),
  };
}

/** Replays a bundle with an evaluation every `stepMs`, under the same limits, and counts the pages. */
export async function replayUnbound(bundle: Bundle, stepMs: number, abort: AbortSignal): Promise<Omit<Composed, "id">> {
  const config = configFor(bundle, undefined, undefined);
  const paged = new Map<string, number>();
  const notifierAt = ({ now }: Clock): Notifier => ({
    notify: async ({ to, incidentId }: Notice) => {
      if (isPager(to) && !paged.has(incidentId)) paged.set(incidentId, now());
      return { delivered: true, detail: "counted" };
    },
  });
  const { episodes } = await replayRecording(
    bundle,
    withUnboundLimits({ ...config, watch: { ...config.watch, stepMs } }),
    "bench",
    abort,
    undefined,
    notifierAt,
  );
  return { episodes, pagedAt: [...paged.values()] };
}
