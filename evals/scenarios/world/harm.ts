import type { Course } from "./node.ts";
import type { Run } from "./simulate.ts";

/** What a person on call would call a real worsening of one service: each of these is one unit of harm. */
export const UNIT = {
  /** One request in a hundred more fails: what a 99 % objective leaves. */
  errors: 0.01,
  /** The slowest percent takes half as long again. */
  latency: Math.log(1.5),
  /** One pod in five is out of service. */
  unready: 0.2,
  /** Another tenth of the memory limit is gone. */
  memory: 0.1,
  /** A minute's worth of messages waits. */
  backlogSeconds: 60,
};
const MOST = 30;

/** By how many units a service is worse in a cell than in the same cell of a clean run; the worse of its versions counts. */
export function harmOf(course: Course, clean: Course, cell: number): number {
  const at = (values: Float64Array) => values[cell] ?? 0;
  const share = course.versions.share[cell] ?? 1;
  const tracks = share >= 1 ? [course.newer] : share > 0 ? [course.newer, course.older] : [course.older];
  const reference = (clean.versions.share[cell] ?? 1) > 0 ? clean.newer : clean.older;
  const worst = Math.max(
    ...tracks.map(
      (track) =>
        Math.max(0, at(track.errors) - at(reference.errors)) / UNIT.errors +
        Math.max(0, Math.log(at(track.p99) / at(reference.p99))) / UNIT.latency,
    ),
  );
  const others =
    Math.max(0, at(course.unready) - at(clean.unready)) / UNIT.unready +
    Math.max(0, at(course.memory) - at(clean.memory)) / UNIT.memory +
    Math.max(0, at(course.backlog) - at(clean.backlog)) / (UNIT.backlogSeconds * Math.max(0.01, at(clean.rate)));
  return Math.min(MOST, worst + others);
}

/** Mean harm over the cells from `first` on, summed over the services that are observed. */
export function harmSince(run: Run, clean: Run, first: number): number {
  let sum = 0;
  for (const [name, course] of run.courses) {
    const reference = clean.courses.get(name);
    if (reference === undefined || course.service.tier === "external") continue;
    for (let cell = first; cell < run.grid.length; cell++) sum += harmOf(course, reference, cell);
  }
  return sum / Math.max(1, run.grid.length - first);
}

/** The largest harm of any service, each a mean over the cells from `first` to `last`. */
export function worstService(
  run: Run,
  clean: Run,
  first: number,
  last: number,
): { readonly service: string | null; readonly harm: number } {
  let worst: { service: string | null; harm: number } = { service: null, harm: 0 };
  for (const [name, course] of run.courses) {
    const reference = clean.courses.get(name);
    if (reference === undefined || course.service.tier === "external") continue;
    let sum = 0;
    for (let cell = first; cell < last; cell++) sum += harmOf(course, reference, cell);
    const harm = sum / Math.max(1, last - first);
    if (harm > worst.harm) worst = { service: name, harm };
  }
  return worst;
}
