import { apartFrom, chanceBeside, type Placed } from "./meeting.ts";
import { gapBetween, spreadOf } from "./onset-gap.ts";
import { LEAST_GROUPS, SPREADS_MS } from "./wide-cause.ts";

/** What a cause that goes from one to the next may have reached, and how often so many begin so near by chance. */
export interface Spreading<D extends Placed> {
  readonly others: readonly D[];
  /** Within how long they and the pivot began, ms. */
  readonly withinMs: number;
  /** 0 to 1. */
  readonly byChance: number;
}

/**
 * Others that a cause which none of the changes is may have reached before or after the pivot, one after the other: each began within a minute
 * of another one of them (`SPREADS_MS`: so long a wide cause takes from one service to the next), and at least two of
 * them nobody changed. They need not begin in one moment, as `wideCauses` and `meetings` ask for: of a spreading cause the
 * third one tells. Of the nearest two, three, … those that meet most seldom by chance, for each that was tried (Bonferroni).
 * `degraded`: what is, the pivot among it; what has an explanation of its own left out. Null where there are none. Pure.
 */
export function spreadingTo<D extends Placed>(pivot: D, degraded: readonly D[]): Spreading<D> | null {
  const all = apartFrom(pivot, degraded);
  const near = (a: D, b: D) => gapBetween(a.onset, b.onset) <= SPREADS_MS;
  const chain = new Set([pivot]);
  for (const link of chain) for (const one of all) if (near(link, one)) chain.add(one);
  const nearest = [...chain]
    .filter((one) => one !== pivot)
    .sort((a, b) => gapBetween(a.onset, pivot.onset) - gapBetween(b.onset, pivot.onset));
  const tried = nearest.flatMap((_, i): readonly Spreading<D>[] => {
    const others = nearest.slice(0, i + 1);
    const isEnough = others.filter(({ isChanged }) => !isChanged).length >= LEAST_GROUPS - 1;
    const withinMs = spreadOf([pivot, ...others].map(({ onset }) => onset));
    return isEnough ? [{ others, withinMs, byChance: chanceBeside(pivot, others, all) }] : [];
  });
  if (tried.length === 0) return null;
  const rarest = tried.reduce((best, one) => (one.byChance < best.byChance ? one : best));
  return { ...rarest, byChance: Math.min(1, rarest.byChance * tried.length) };
}
