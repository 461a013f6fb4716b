import type { EvidenceKind } from "../../config/evidence-kinds.ts";
import { isLatency } from "../../detection/meaning.ts";
import type { Assessment } from "../../model/assessment.ts";
import { joined, own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { askPerson, type Rule } from "../rule.ts";

/**
 * One kind of evidence alone can be wrong, for example because of a broken exporter. Where the file asks for more
 * than one, that many have to agree.
 */
export const evidenceKinds: Rule = {
  name: "evidence-kinds",
  check({ assessment, policy }) {
    if (assessment === null) return undefined;
    const kinds = kindsOf(assessment);
    if (kinds.length >= policy.evidenceKinds) return undefined;
    const said =
      kinds.length === 0
        ? "none speaks"
        : own`only ${joined(kinds.map(name), ", ")} speak${kinds.length === 1 ? "s" : ""}`;
    return askPerson(own`${policy.evidenceKinds} kinds of evidence have to agree, and ${said} against the change`);
  },
};

/** What says that it is bad now: findings and conditions of the services meant, and what points at the culprit itself. */
function kindsOf({ findings, conditions, services, answers, decision }: Assessment): readonly string[] {
  const meant = new Set([...services, ...(answers.check_affected_services?.services ?? [])]);
  const worse = findings.filter(({ verdict }) => verdict === "worse");
  const firing = conditions.filter(({ state }) => state === "firing");
  const kinds = [...worse, ...firing].filter(({ service }) => meant.has(service)).map(({ metric }) => kindOf(metric));
  const culprit = answers.correlate_timing?.ranking.candidates.find(
    ({ changeId }) => changeId === decision.culprit?.changeId,
  );
  const pointing = (culprit?.reasons ?? []).filter(({ logOdds }) => logOdds > 0).map(({ name }) => name);
  const others = (["logs", "versions"] satisfies EvidenceKind[]).filter((kind) => pointing.includes(kind));
  return [...new Set([...kinds, ...others])];
}

const kindOf = (metric: string): string => wellKnownKind(metric) ?? metric;

/** null: a metric of the file's own, which is a kind by itself. */
function wellKnownKind(metric: string): EvidenceKind | null {
  if (metric === "error_rate") return "errors";
  if (isLatency(metric)) return "latency";
  if (metric === "health_check_failures") return "health";
  if (metric === "request_rate") return "traffic";
  return metric === "cpu_usage" || metric === "memory_usage" ? "resources" : null;
}
