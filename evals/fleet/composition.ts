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

/** A service that nothing measures, freshly deployed, and joined to one of the members by a call. */
export interface Neighbour {
  /** Whose neighbour it is, under its name in the composition. */
  readonly of: string;
  readonly is: "caller" | "callee";
  /** When its deploy starts, ms after the origin. */
  readonly atMs: number;
}

/** Worlds that share a clock and nothing else. */
export interface Composition {
  readonly id: string;
  readonly members: readonly Member[];
  /** Absent: none. */
  readonly neighbours?: readonly Neighbour[];
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
  const { id, members, neighbours = [], beforeMs, afterMs } = composition;
  const watch = { start: ORIGIN - beforeMs, end: ORIGIN + afterMs };
  const worlds = members.map((member) => placed(read(member.directory), member).bundle);
  return united([...worlds, ...neighbours.map(neighbourWorld)], watch, id);
}

/** All that is known of a neighbour: its deploy, and the call. */
function neighbourWorld({ of, is, atMs }: Neighbour, index: number): Bundle {
  const name = `neighbour-${index + 1}`;
  return {
    directory: "",
    incident: { schema: 1, id: name, title: name, watch: { start: ORIGIN, end: ORIGIN }, services: [] },
    series: [],
    changes: [
      {
        id: `${name}.deploy`,
        kind: "deploy",
        service: name,
        from: "v1.4.0",
        to: "v1.5.0",
        startedAt: ORIGIN + atMs,
        finishedAt: ORIGIN + atMs + 60_000,
        source: "argocd",
        reversible: true,
      },
    ],
    topology: { edges: [is === "caller" ? [name, of] : [of, name]], external: [] },
    logs: [],
    spans: [],
    alerts: [],
    gaps: [],
  };
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
