import { isActed, originOf, writtenTargets } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { causeOf } from "./cause.ts";
import { endingOf, suspectOf, undoneWords } from "./ending.ts";
import { clock } from "./figures.ts";
import { code } from "./markdown.ts";
import { authorWords, changeWords, targetWords } from "./names.ts";
import { isOpen } from "./open.ts";
import { planAnswer } from "./plan-answer.ts";

/** The heading: what broke, after which change, and how it ended. `entries`: of the ledger, which knows who answered. */
export function title(incident: Incident, entries: readonly LedgerEntry[] = []): string {
  return `# ${subject(incident)}: ${standing(incident, entries)}`;
}

/**
 * The service that the draft begins with: where it was noticed first; where no change is suspected, where it most likely starts.
 */
export function leadService(incident: Incident): string {
  const { service, ranking, affectedServices } = incident;
  const origin = causeOf(incident).kind === "not-found" ? ranking?.rootCauses[0]?.service : undefined;
  return origin !== undefined && affectedServices.includes(origin) ? origin : service;
}

function subject(incident: Incident): string {
  const { kind } = causeOf(incident);
  const lead = leadService(incident);
  const change = kind === "culprit" ? suspectOf(incident) : null;
  if (change !== null) {
    const isItsOwn = change.kind !== "flag" && change.service === lead;
    const versions = `${code(change.from)} → ${code(change.to)}`;
    return `${code(lead)} broke after ${isItsOwn ? `its ${change.kind} ${versions}` : changeWords(change)}`;
  }
  const others = new Set(incident.affectedServices.filter((one) => one !== lead)).size;
  const spread = others === 0 ? "" : `, ${others} other ${others === 1 ? "service" : "services"} affected`;
  return `${code(lead)} broke${spread}`;
}

/** How it ended, for the title. "recovered" only where verification said so. */
function standing(incident: Incident, entries: readonly LedgerEntry[]): string {
  const { recovery, outcome, joined } = incident;
  if (joined !== undefined) return `went on in ${code(joined)}`;
  if (isRecoveryConfirmed({ recovery, outcome })) return `recovered after ${whatWasDone(incident)}`;
  const { undoneBy, backAt } = endingOf(incident);
  const back = backAt === null ? [] : [`back within baseline at ${clock(backAt)}${wayWords(incident)}`];
  const undone = undoneBy === null ? [] : [undoneWords(undoneBy)];
  if (isOpen(incident)) return [...undone, openWords(incident)].join(", ");
  const parts = [...afterAct(incident), ...undone];
  // Whose rollback it was says more than what had become of a plan.
  const plan = parts.length > 0 ? [] : planWords(incident, entries);
  const { kind } = causeOf(incident);
  const isOpenCause = parts.length === 0 && (kind === "not-found" || kind === "not-compared");
  const unexplained = isOpenCause ? [kind === "not-found" ? "cause not found" : "cause not determined"] : [];
  const all = [
    ...parts,
    ...unexplained,
    ...plan,
    ...(outcome === "unknown" && parts.length === 0 ? ["outcome unknown"] : []),
    ...back,
  ];
  if (all.length > 0) return all.join(", ");
  return outcome === "withdrawn" ? "nothing had to be undone" : "no action taken";
}

function openWords(incident: Incident): string {
  if (incident.recovery?.verdict === "not-recovered") return "still open, not recovered so far";
  return isActed(incident) ? "still open, recovery not confirmed yet" : "still open";
}

/** What is known of an act of unship that was not confirmed to help; none: it wrote nothing. */
function afterAct(incident: Incident): readonly string[] {
  const { outcome, recovery, backSince } = incident;
  if (outcome === "superseded") return ["another change was at work before recovery was shown"];
  if (recovery?.verdict === "not-recovered")
    return [backSince === undefined ? "not recovered" : "not recovered in time"];
  return isActed(incident) ? ["recovery not confirmed"] : [];
}

/** What became of the plan or the decision, where that is all that happened. */
function planWords(incident: Incident, entries: readonly LedgerEntry[]): readonly string[] {
  const { outcome, gate } = incident;
  if (outcome === "recommended") return ["hotfix recommended"];
  if (outcome === "denied" && gate?.outcome === "denied") return ["the gate denied the plan"];
  const answer = planAnswer(incident, entries);
  if (outcome === "denied" || answer?.kind === "rejected") return ["the plan was rejected"];
  if (outcome === "expired") return ["the plan expired unanswered"];
  return [];
}

/** How the signals came back, where nothing before says it. */
function wayWords(incident: Incident): string {
  const { backBy } = incident;
  const { undoneBy, changedBy } = endingOf(incident);
  if (backBy === undefined || undoneBy !== null) return "";
  if (backBy.act !== undefined) return " after a plan outside it was carried out";
  if (changedBy !== null) return ` after ${authorWords(changedBy)} made ${changeWords(changedBy)}`;
  if (backBy.change !== null) return ` after somebody changed ${code(backBy.change.service)}`;
  if (isActed(incident)) return "";
  return backBy.unheard.length > 0 ? ", why is not known" : " with no known change";
}

/** "it was rolled back", where that is what the title names as the cause; else what was done, whoever asked for it. */
function whatWasDone(incident: Incident): string {
  const origin = originOf(incident);
  const targets = writtenTargets(incident);
  if (origin === "asked" || origin === "proposed") return `unship ${targets.map(targetWords).join(" and ")}`;
  const areFlags = targets.length > 0 && targets.every(({ action }) => action === "feature_flag_disable");
  return areFlags ? "it was switched off" : "it was rolled back";
}
