import type { Bundle } from "../replay/bundle.ts";
import { stepOf } from "../replay/seed-config.ts";
import type { Recorded } from "./recorded.ts";
import { renamedApart } from "./rename.ts";
import { shifted } from "./shift.ts";
import { united, unmeasured, withoutEdges } from "./unite.ts";

/** One recorded world of a composition: data, so that a worker can put it together. */
export interface Member {
  readonly directory: string;
  /** Letters that set its names and ids apart from those of all others. */
  readonly tag: string;
  /** The moment of its own time that is laid at `atMs`: its true onset, or when its disturbance begins. Unix ms. */
  readonly moment: number;
  /** Ms after the origin of the composition. */
  readonly atMs: number;
  /** Absent: all of it; "changes": nothing measures it. */
  readonly only?: "changes";
  /** Absent or true: who calls whom in it is known if it was recorded. */
  readonly edges?: boolean;
}

/** Worlds that share a clock and nothing else. */
export interface Composition {
  readonly id: string;
  readonly members: readonly Member[];
  /** The watch around the origin, ms. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Between two evaluations, ms: the finest step of all that are compared, not only of these members. */
  readonly stepMs: number;
}

/** The origin of every composition: a Wednesday noon, on every grid of samples there is. Unix ms. */
export const ORIGIN = Date.UTC(2026, 5, 3, 12);

/**
 * Puts a composition together. Each member is moved by whole steps of its own grid, so that all are sampled on the one grid
 * that a query of a range would give: its moment is at most half a step from where it was asked to be. `read` gives a
 * member's recording. Pure but for that.
 */
export function composed(composition: Composition, read: (directory: string) => Recorded): Bundle {
  const { id, members, beforeMs, afterMs } = composition;
  const watch = { start: ORIGIN - beforeMs, end: ORIGIN + afterMs };
  return united(
    members.map((member) => placed(read(member.directory), member).bundle),
    watch,
    id,
  );
}

/** One recording where and as its member says, with its truth. */
export function placed(recorded: Recorded, { tag, moment, atMs, only, edges }: Member): Recorded {
  const { bundle, truth } = shifted(renamedApart(recorded, tag), onGrid(recorded.bundle, ORIGIN + atMs - moment));
  const known = edges === false ? withoutEdges(bundle) : bundle;
  return { bundle: only === "changes" ? unmeasured(known) : known, truth };
}

/** The shift nearest to `byMs` that lays the finest series' samples on whole steps since 1970. */
function onGrid(bundle: Bundle, byMs: number): number {
  const finest = bundle.series.reduce<Bundle["series"][number] | undefined>(
    (best, one) => (best === undefined || one.stepMs < best.stepMs ? one : best),
    undefined,
  );
  if (finest === undefined) return byMs;
  const { startAt, stepMs } = finest;
  return Math.round((startAt + byMs) / stepMs) * stepMs - startAt;
}

/** The finest step of some recordings, ms. */
export const finestStep = (bundles: readonly Bundle[]): number => Math.min(...bundles.map(stepOf));
