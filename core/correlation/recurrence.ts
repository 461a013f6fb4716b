import { logSumExp } from "../detection/robust.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";
import type { Incident } from "../model/incident.ts";
import { durationText } from "../model/time.ts";
import { SURE_NATS } from "./passing.ts";
import { BAD_CHANGE } from "./prior.ts";
import type { CaseEvidence } from "./rank.ts";
import { FROM_CHANGES, ORDINARY_CHANGES } from "./reasons.ts";
import { showsAt } from "./shows-at.ts";
import { LATENT } from "./timing.ts";
import { gravityOf, NEARLY_AS_GRAVE } from "./trouble.ts";

/** An earlier episode that ended by itself and that no change was to blame for. */
export interface PastOnset {
  readonly at: number;
  /** When it had closed: until then what came again was taken for the same. */
  readonly until: number;
  /** How far off each of its signals was; key `service metric`. */
  readonly signals: ReadonlyMap<string, number>;
}

const keyOf = (service: string, metric: string): string => `${service} ${metric}`;

/**
 * When services degraded without a change to blame, oldest first. Of closed incidents, those for which nothing was decided or done
 * and no change was to blame at twenty to one: an episode that some change may be behind, that went on in
 * another incident, or about which some source of changes did not answer (or it is not known whether one did) tells nothing (S9).
 */
export function pastOnsets(incidents: readonly Incident[]): readonly PastOnset[] {
  const alone = incidents.filter(
    ({ closedAt, outcome, joined, ranking, decidedRanking, unheard, backBy }) =>
      closedAt !== null &&
      backBy?.act === undefined &&
      outcome === "no-action" &&
      joined === undefined &&
      unheard?.length === 0 &&
      [ranking, decidedRanking ?? ranking].every((one) => one !== null && isNobodys(one.noChangeProbability)),
  );
  return alone
    .flatMap(({ onset, closedAt, signals = [] }): readonly PastOnset[] => {
      const how = signals.map(({ service, metric, usual: baseline, bad: current }) => {
        const gravity = gravityOf({ metric, baseline, current, detector: "" });
        return [keyOf(service, metric), gravity] as const;
      });
      if (onset === null || closedAt === null) return [];
      return [{ at: onset.at, until: Math.max(onset.at, closedAt), signals: new Map(how) }];
    })
    .toSorted((a, b) => a.at - b.at);
}

const isNobodys = (noChange: number | null): boolean => noChange !== null && noChange >= 1 / (1 + Math.exp(-SURE_NATS));

/** A cause that comes back by itself (a job, a leak that is worked off, a flapping link) is behind such an episode as often as not. */
const RECURS = 1 / 2;
/** How often it comes back nobody knows: the wait is like that for what else comes due by itself, half of it within the hour. */
const RETURNS_MS = LATENT.halfMs;

/**
 * How many times as often a service degrades by itself as any does, given when it did before: its rate of spontaneous onsets now over the
 * one that the priors imply. Each past onset may have been the first of a cause that comes back at an exponential rate that is
 * itself exponential: onsets then follow Gamma and Poisson, m returns in a time E (in which none was open) with probability proportional to
 * τ·m!/(τ + E)^(m + 1), and the rate to expect is (m + 1)/(τ + E). 1 where there was none. Pure.
 *
 * @param past its onsets and until when each was open, ms, oldest first
 * @param at the moment of this one, ms
 * @param windowMs the window over which the priors count changes
 */
export function timesAsOften(past: readonly Pick<PastOnset, "at" | "until">[], at: number, windowMs: number): number {
  const usual = spontaneousRate(windowMs);
  const never = { nats: past.length * Math.log((1 - RECURS) * usual), rate: usual };
  const since = past.map((first, j) => {
    const returns = past.length - 1 - j;
    const open = past.slice(j).reduce((sum, one) => sum + one.until - one.at, 0);
    const span = RETURNS_MS + Math.max(0, at - first.at - open);
    const before = j * Math.log(1 - RECURS) + Math.log(RECURS) + (j + 1) * Math.log(usual);
    const nats = before + Math.log(RETURNS_MS) + logFactorial(returns) - (returns + 1) * Math.log(span);
    return { nats, rate: usual + (returns + 1) / span };
  });
  const all = [never, ...since];
  const total = logSumExp(all.map(({ nats }) => nats));
  return all.reduce((sum, { nats, rate }) => sum + Math.exp(nats - total) * rate, 0) / usual;
}

/**
 * Onsets for each millisecond without a change, before anything is known of a service: what the priors say by "three outages in ten
 * come from no change" where one or two changes in the window, one bad in ten, bring the other seven.
 */
const spontaneousRate = (windowMs: number): number =>
  (BAD_CHANGE * ORDINARY_CHANGES * (1 - FROM_CHANGES)) / FROM_CHANGES / windowMs;

const logFactorial = (n: number): number => (n < 2 ? 0 : Math.log(n) + logFactorial(n - 1));

/**
 * That what a change is suspected of has come and gone by itself before the change was made: the gravest signal of each
 * service where the change shows, about as far off. Onsets since it was made may be its own, and do not count. Null where there is
 * none. Pure.
 */
export function recurrenceReason(
  change: Change,
  evidence: CaseEvidence,
  past: readonly PastOnset[],
  windowMs: number,
): Reason | null {
  const places = showsAt(change, evidence);
  const signals = places.map((service) => gravestOf(evidence, service));
  const same = past.filter(
    ({ at, signals: seen }) =>
      at < change.startedAt &&
      signals.every(
        (one) => one !== null && (seen.get(keyOf(one.service, one.metric)) ?? 0) >= NEARLY_AS_GRAVE * gravityOf(one),
      ),
  );
  const first = same[0];
  if (first === undefined) return null;
  const times = timesAsOften(same, evidence.onset.at, windowMs);
  const what = signals.flatMap((one) => (one === null ? [] : `${one.metric} of ${one.service}`)).join(" and ");
  const often = same.length === 1 ? "once" : `${same.length} times`;
  const sentence = `${what} degraded ${often} in the ${durationText(evidence.onset.at - first.at)} before, without a culprit change`;
  return { name: "recurrence", logOdds: -Math.log(times), sentence };
}

/** The finding of a service that is the furthest off, of those that the trouble is told by; null: none. */
function gravestOf({ caseFile, worse }: CaseEvidence, service: string): Finding | null {
  const told = caseFile.findings.filter(
    (one) => one.service === service && one.verdict === "worse" && worse.get(service)?.has(one.metric) === true,
  );
  return told.toSorted((a, b) => gravityOf(b) - gravityOf(a) || (a.metric < b.metric ? -1 : 1))[0] ?? null;
}
