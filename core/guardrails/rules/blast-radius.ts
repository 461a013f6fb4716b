import { type Fenced, joined, ours, own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type Rule, type RuleInput } from "../rule.ts";
import { targetText } from "../targets.ts";
import { touchedByPlan } from "../touched.ts";

/** The more a plan touches, the more it can degrade: above the limits of the file, a person reviews it first. */
export const blastRadius: Rule = {
  name: "blast-radius",
  check(input) {
    return allOf("require_approval", [...servicesOver(input), ...trafficOver(input), ...replicasOver(input)]);
  },
};

/** All that the plan touches, also what its targets reach, and what stands in the plan and was settled before. */
const touched = (input: RuleInput): readonly string[] => [
  ...new Set(touchedByPlan(input).flatMap(({ services, unmapped }) => [...services, ...unmapped])),
];

function servicesOver(input: RuleInput): readonly Fenced[] {
  const limit = input.policy.blastRadius.services;
  const names = touched(input);
  if (limit === null || names.length <= limit) return [];
  return [own`the plan touches ${names.length} services (${joined(names.map(name), ", ")}), more than ${limit}`];
}

function trafficOver(input: RuleInput): readonly Fenced[] {
  const limit = input.policy.blastRadius.trafficShare;
  if (limit === null) return [];
  const { traffic } = input;
  const names = touched(input);
  const unknown = traffic === null ? names : names.filter((name) => !traffic.has(name));
  const all = [...(traffic?.values() ?? [])].reduce((sum, rate) => sum + rate, 0);
  const theirs = names.reduce((sum, name) => sum + (traffic?.get(name) ?? 0), 0);
  const share = theirs / all;
  if (unknown.length > 0 || !Number.isFinite(share)) {
    const why = input.problems?.traffic?.replace(/\.$/, "");
    const because = why === undefined ? "" : own` (${ours(why)})`;
    return [
      own`the share of traffic of ${joined((unknown.length > 0 ? unknown : names).map(name), ", ")} is not known${because}`,
    ];
  }
  if (share <= limit) return [];
  return [own`${joined(names.map(name), ", ")} serve ${percent(share)} of all requests, more than ${percent(limit)}`];
}

const percent = (share: number): Fenced => own`${ours((share * 100).toFixed(1))} %`;

function replicasOver({ targets, policy }: RuleInput): readonly Fenced[] {
  const limit = policy.blastRadius.replicas;
  if (limit === null) return [];
  const workloads = targets.filter(({ target }) => target.action !== "feature_flag_disable");
  const unknown = workloads.filter(({ state }) => state?.capacity === undefined);
  if (unknown.length > 0) {
    return [
      own`the number of pods of ${joined(
        unknown.map(({ target }) => targetText(target)),
        ", ",
      )} is not known`,
    ];
  }
  const pods = workloads.reduce((sum, { state }) => sum + (state?.capacity?.replicas ?? 0), 0);
  return pods <= limit ? [] : [own`the plan replaces ${pods} pods, more than ${limit}`];
}
