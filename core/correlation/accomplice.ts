import { logSumExp } from "../detection/robust.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { speaksOfErrors } from "./aliases.ts";
import type { CaseEvidence } from "./rank.ts";
import { failsMoreThanOld } from "./version-split.ts";

/** A change that may be guilty together with another one, each by itself. */
export interface Accomplice {
  readonly change: Change;
  /** Log odds that it is guilty too, given that the other one is. */
  readonly logOdds: number;
  readonly sentence: string;
}

/**
 * One change in ten is bad, whatever happens elsewhere: the change failure rate of ordinary teams.
 * @see the yearly DORA reports, "Accelerate State of DevOps", change failure rate
 */
const BAD_TOO = Math.log(0.1 / 0.9);
/** What one kind of sign may say by itself: sums and sampled traces blur. */
const MOST_NATS = Math.log(16);

/**
 * Who else is guilty where one change is: a change of another service that fails requests which nothing that it calls
 * accounts for. What the guilty one causes elsewhere comes over calls, so that others' failures are passed on; failures
 * of a service's own need a cause of its own. Signs are the versions side by side, the part of the service's failures
 * that no callee accounts for, failed calls none of whose own calls failed, and new errors of the new version alone.
 * Its time counts against it only: that it was made together with the other one is no sign.
 *
 * For failed requests alone; waiting overlaps, so that seconds of latency do not tell whose they are. A flag is no
 * accomplice of another kind of change, since one plan takes one action. Empty where nothing tells own failures from
 * passed-on ones.
 */
export function accomplices(
  culprit: Change,
  changes: readonly { readonly change: Change; readonly reasons: readonly Reason[] }[],
  evidence: CaseEvidence,
): readonly Accomplice[] {
  if (![...evidence.worse.values()].some((metrics) => [...metrics].some(speaksOfErrors))) return [];
  return changes
    .filter(({ change }) => mayJoin(culprit, change))
    .flatMap(({ change, reasons }) => {
      const own = ownSigns(change, reasons, evidence);
      if (own.length === 0) return [];
      const timing = reasons.find(({ name }) => name === "timing")?.logOdds ?? 0;
      const logOdds = BAD_TOO + Math.min(0, timing) + own.reduce((sum, one) => sum + one.logOdds, 0);
      return [{ change, logOdds, sentence: own.map(({ sentence }) => sentence).join("; ") }];
    });
}

/** The reason by which a candidate gains from its being possibly not alone; null where no other change may join it. */
export function joinedBy(found: readonly Accomplice[]): Reason | null {
  if (found.length === 0) return null;
  const logOdds = logSumExp([0, ...found.map((one) => one.logOdds)]);
  const likely = found.filter((one) => one.logOdds > 0).map(({ change }) => change.id);
  const whom = likely.length === 0 ? "others hardly" : likely.join(", ");
  return { name: "joined", logOdds, sentence: `${whom} may be guilty with it` };
}

const mayJoin = (culprit: Change, other: Change): boolean =>
  other.id !== culprit.id && other.service !== culprit.service && (other.kind === "flag") === (culprit.kind === "flag");

interface Sign {
  readonly logOdds: number;
  readonly sentence: string;
}

function ownSigns(change: Change, reasons: readonly Reason[], evidence: CaseEvidence): readonly Sign[] {
  const { own, spans, index, onset, caseFile } = evidence;
  const { service } = change;
  const signs: Sign[] = [];
  const part = own?.metric === "error_rate" ? own.parts.get(service) : undefined;
  if (own !== null && part !== undefined)
    signs.push({
      logOdds: absorbed(notBlur(part, own.counted ? COUNTED_BLUR : GUESSED_BLUR)),
      sentence: `no callee accounts for ${percent(part)} of what ${service} fails`,
    });
  const failed = spans?.failed.get(service);
  if (failed !== undefined && failed.all >= LEAST_SPANS)
    signs.push({
      logOdds: notBlur(failed.own / failed.all, COUNTED_BLUR),
      sentence: `${failed.own} of ${failed.all} failed calls of ${service} have no failed call of their own`,
    });
  const split = change.kind === "flag" ? null : failsMoreThanOld(index, change, onset, caseFile.at);
  if (split !== null) signs.push({ logOdds: split.nats, sentence: split.sentence });
  const logs = reasons.find(({ name }) => name === "logs");
  const fresh = evidence.signatures.find((one) => one.service === service && one.names.length === 0 && !one.complains);
  if (logs !== undefined) signs.push(logs);
  else if (fresh !== undefined && change.kind !== "flag")
    signs.push({ logOdds: OWN_SIGNATURE, sentence: `${service} logs a new error of its own: "${fresh.template}"` });
  return signs;
}

/** A caller that absorbs half of what its callees fail (it asks again, or does without) owns more than is left: a small part says little. */
const absorbed = (nats: number): number => logSumExp([nats, 0]) - Math.LN2;

/**
 * Mean part of passed-on failures that looks like a service's own: with requests and calls counted a tenth (samples that
 * do not quite overlap, callers that give up before the answer, calls that were not traced), else a third (how often a
 * caller asks for one request of its own is then a guess).
 */
const COUNTED_BLUR = 0.1;
const GUESSED_BLUR = 1 / 3;
/** What a new error that blames nobody else says for its service, as where trouble starts. */
const OWN_SIGNATURE = Math.log(6);
/** Fewer failed calls than this do not tell a part. */
const LEAST_SPANS = 10;

/**
 * Log likelihood ratio of a part that is a service's own, any part being alike, against blur of this mean: a beta density
 * with parameters 1 and 1/mean − 1.
 */
function notBlur(part: number, mean: number): number {
  const b = 1 / mean - 1;
  const blur = Math.log(b) + (b - 1) * Math.log(Math.max(1e-9, 1 - part));
  return Math.max(-MOST_NATS, Math.min(MOST_NATS, -blur));
}

const percent = (part: number): string => `${Math.round(100 * part)} %`;
