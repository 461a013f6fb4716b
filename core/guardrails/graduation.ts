import type { Config, Mode } from "../config/config.ts";
import { type Incident, isRecoveryConfirmed } from "../model/incident.ts";
import { name } from "../model/untrusted-text.ts";
import { refutedBy } from "./refuted.ts";

/** What a service has shown so far. */
export interface ServiceRecord {
  /** Incidents in which a plan for the service was made. */
  readonly proposals: number;
  /** Rollbacks that a person approved and that brought recovery, since the last that did not, or that was rejected. */
  readonly recoveredInARow: number;
  /** How the last plan that ended the row ended; null: none did, or a recovery came after it. */
  readonly broken: string | null;
}

/** The answers of people, by plan. */
export type Answers = ReadonlyMap<string, "approve" | "reject">;

/**
 * Follows one service through incidents (oldest first). `answers`: what people said of each plan; an incident counts as
 * rejected if any of its plans was. A recovery counts where it was confirmed and no other incident shows that it was none. An incident that was not judged yet counts as a proposal and for nothing else, and so does one in which
 * somebody changed the service again before its recovery was judged.
 */
export function recordOf(
  service: string,
  incidents: readonly Incident[],
  answers: Answers,
  rejected: ReadonlySet<string>,
): ServiceRecord {
  const own = incidents.filter(({ plan }) => plan?.targets.some((target) => target.service === service) === true);
  let recoveredInARow = 0;
  let broken: string | null = null;
  for (const incident of own) {
    const { id, plan, outcome: ended, superseded = [] } = incident;
    if (plan === null || ended === null) continue;
    const outcome = superseded.some((one) => one.service === service) ? "superseded" : ended;
    const failed =
      rejected.has(id) || answers.get(plan.id) === "reject"
        ? "was rejected"
        : outcome === "recovered"
          ? falseText(incident, service, incidents)
          : FAILED[outcome];
    if (failed !== undefined) {
      recoveredInARow = 0;
      broken = `the plan of incident ${id} ${failed}`;
    } else if (outcome === "recovered" && answers.get(plan.id) === "approve") {
      recoveredInARow += 1;
      broken = null;
    }
  }
  return { proposals: own.length, recoveredInARow, broken };
}

/** How an incident that ended as recovered turned out not to be; undefined: its recovery was confirmed and stands. */
function falseText(incident: Incident, service: string, incidents: readonly Incident[]): string | undefined {
  if (!isRecoveryConfirmed(incident)) return FAILED.unknown;
  const other = refutedBy(incident, service, incidents);
  return other === null ? undefined : `was called recovered while ${service} was degraded (incident ${other.id})`;
}

/** Missing proof is not success (S9). */
const FAILED: Readonly<{ [outcome: string]: string | undefined }> = {
  "not-recovered": "did not bring recovery",
  unknown: "could not be verified",
};

/**
 * One sentence on how far a service has come, and which mode people might give it. Only they do: the mode stands in
 * the file alone (S14).
 */
export function graduationText(mode: Mode, record: ServiceRecord, { graduation }: Pick<Config, "graduation">): string {
  const { proposals, recoveredInARow: row, broken } = record;
  const { approveAfterProposals: wantedProposals, autoAfterRecovered: wantedRow } = graduation;
  if (mode === "observe") {
    const so = `${proposals} of ${wantedProposals} proposals`;
    return proposals >= wantedProposals ? `${so}: review them, and consider mode approve` : so;
  }
  if (mode === "auto") {
    return broken === null ? "there is no wider mode" : `${broken}: consider mode approve until it is understood`;
  }
  const so = `${row} of ${wantedRow} approved recoveries in a row${broken === null ? "" : `, since ${broken}`}`;
  if (row < wantedRow) return so;
  return `${so}: consider mode auto (so few can hide up to ${Math.ceil(100 * mostWrong(row))} % that go wrong, at 95 % confidence)`;
}

/** How far one service has come, with its mode. */
export interface Graduation extends ServiceRecord {
  readonly service: string;
  readonly mode: Mode;
  /** `graduationText`. */
  readonly text: string;
}

const NEXT = { observe: "Towards mode approve", approve: "Towards mode auto", auto: "In mode auto" } as const;

/** The services of which there is something to say, a line a mode; none: nothing was proposed, approved or broken yet. Pure. */
export function graduationLines(all: readonly Graduation[]): readonly string[] {
  const news = all.filter(({ mode, proposals, recoveredInARow, broken }) =>
    mode === "observe" ? proposals > 0 : broken !== null || (mode === "approve" && recoveredInARow > 0),
  );
  return [...Map.groupBy(news, ({ mode }) => mode)].map(
    ([mode, of]) => `${NEXT[mode]}: ${of.map(({ service, text }) => `${name(service)} ${text}`).join("; ")}`,
  );
}

/**
 * The largest share of failures that is still credible after `count` successes and no failure: the upper end of the
 * exact one-sided 95 % interval, 1 − 0.05^(1/n).
 * @see Clopper and Pearson 1934, The use of confidence or fiducial limits; for n large, the "rule of three", 3/n
 */
export function mostWrong(count: number): number {
  return count <= 0 ? 1 : 1 - 0.05 ** (1 / count);
}
