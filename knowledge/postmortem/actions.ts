import { byWords, executedByIn, outcomeWords } from "../../core/guardrails/approved-by.ts";
import type { OtherAct } from "../../core/guardrails/ledger-answer.ts";
import { progressLines } from "../../core/guardrails/plan-progress.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import type { Decision } from "../../core/model/decision.ts";
import { writtenTargets } from "../../core/model/deed.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Target } from "../../core/model/plan.ts";
import { recordedDecision } from "../../core/model/recorded.ts";
import type { LedgerEntry } from "../../core/ports.ts";
import { endingOf, undoingWords } from "./ending.ts";
import { clock } from "./figures.ts";
import { bullets, code, prose, section, sentence, table } from "./markdown.ts";
import { actionWords, verdictWords } from "./names.ts";
import { soFar } from "./open.ts";

/** What was decided, under which rule, what was really done, and how that was checked. */
export function actionsSection(
  incident: Incident,
  entries: readonly LedgerEntry[],
  others: readonly OtherAct[] = [],
): string | null {
  return section(
    "What was done, and under which rule",
    decided(incident),
    undoneByOthers(incident),
    rules(incident, entries),
    executed(incident, others),
    ...others.map(otherAct),
    checked(incident),
    ledgerNote(entries),
  );
}

function decided(incident: Incident): string {
  const { decision } = incident;
  if (decision === null) return soFar(incident, "No decision was made.", "No decision has been made so far.");
  const why = decision.why.map((why) => sentence(why));
  const agree = soFar(incident, "A person had to agree", "A person has to agree");
  const person = decision.needsPerson.map((why) => `${agree}: ${sentence(why)}`);
  const automatic = decision.automatic ? ["An automatic policy condition held at that moment."] : [];
  return `${decidedWords(incident, decision)}\n\n${bullets([...why, ...automatic, ...person])}`;
}

/** When it was decided, and of when the reasons are that follow: those of a plan that waits are judged anew all the while. */
function decidedWords(incident: Incident, { action, decidedAt: judgedAt }: Decision): string {
  const recorded = recordedDecision(incident);
  const now = actionWords(action);
  if (recorded === null || recorded.at === judgedAt) return `Decided at ${clock(judgedAt)}: **${now}**.`;
  const first = `Decided at ${clock(recorded.at)}: **${actionWords(recorded.action ?? action)}**.`;
  const again = recorded.action === null || recorded.action === action ? "the same" : `**${now}**`;
  return `${first} Judged again at ${clock(judgedAt)}: ${again}, since:`;
}

/** What somebody else did to the suspected change; null: nothing is known. */
function undoneByOthers(incident: Incident): string | null {
  const { undoneBy } = endingOf(incident);
  return undoneBy === null ? null : `At ${clock(undoneBy.startedAt)} ${undoingWords(undoneBy)} (${code(undoneBy.id)}).`;
}

function rules({ gate, plan }: Incident, entries: readonly LedgerEntry[]): string | null {
  if (gate === null) return null;
  const rows = gate.review.rules.map(({ rule, verdict, reason }) => [code(rule), verdictWords(verdict), prose(reason)]);
  const by = plan === null ? "" : `, proposed by ${code(plan.proposedBy)}`;
  const approvers = executedByIn(entries, gate.planId);
  const said = byWords(verdictWords(gate.review.verdict), approvers);
  const head = `The gate on plan ${code(gate.planId)}${by}: **${outcomeWords(gate)}**${said.startsWith(" ") ? " " : ""}${prose(said)}.`;
  return rows.length === 0 ? head : `${head}\n\n${table(["Rule", "Verdict", "Reason"], rows)}`;
}

function executed(incident: Incident, others: readonly OtherAct[]): string | null {
  const { gate } = incident;
  if (gate === null) return null;
  if (gate.results.length === 0) {
    const by = others.length === 0 ? "" : " by this plan";
    return `unship ${soFar(incident, "wrote nothing to production", "has written nothing to production so far")}${by}.`;
  }
  const rows = gate.results.map(({ target, result, detail, at, carriedOut }) => [
    targetMove(target),
    result,
    carriedOut === undefined ? clock(at) : `${clock(carriedOut.from)} (known at ${clock(at)})`,
    prose(detail),
  ]);
  return table(["Target", "Result", "At", "Detail"], rows);
}

/** What a target was before and after the act: a flag by its switch, all else by its version. */
function targetMove(target: Target): string {
  const { action, expected, restore } = target;
  const isFlag = action === "feature_flag_disable";
  const [from, to] = isFlag ? [expected.revision, restore.revision] : [expected.version, restore.version];
  return `${code(targetText(target), 400)} ${code(from)} → ${code(to)}`;
}

function checked({ recovery, gate }: Incident): string | null {
  if (recovery === null) return null;
  const flags = new Set(
    writtenTargets({ gate }).flatMap(({ action, service }) => (action === "feature_flag_disable" ? [service] : [])),
  );
  const signal = (service: string, metric: string) => (metric === "rollout" && flags.has(service) ? "flag" : metric);
  const checks = recovery.checks.map(
    ({ service, metric, verdict, because }) =>
      `${code(service)} ${code(signal(service, metric))}: ${verdict}: ${sentence(because)}`,
  );
  const head = `Verification: **${recovery.verdict}**${recovery.at === null ? "" : ` at ${clock(recovery.at)}`}.`;
  return checks.length === 0 ? head : `${head}\n\n${bullets(checks)}`;
}

function ledgerNote(entries: readonly LedgerEntry[]): string | null {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return null;
  return `The record: ledger entries ${first.seq} to ${last.seq}, the last with hash ${code(last.hash.slice(0, 16))}.`;
}

/** A plan beside the incident's own that was begun for it. */
const otherAct = ({ planId, targets }: OtherAct): string =>
  `Plan ${code(planId)} was begun as well:\n\n${bullets(progressLines(targets).map((line) => prose(line.replace(/^\d+\. /, ""))))}`;
