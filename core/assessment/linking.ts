import { gapBetween } from "../correlation/onset-gap.ts";
import type { Finding, Onset } from "../model/finding.ts";

/** A finding of harm with its time. */
export type Dated = Finding & { readonly onset: Onset };

/** What joins two findings, and what keeps them apart though calls join them. */
export interface Joins {
  isOne(a: Dated, b: Dated): boolean;
  isApart(a: Dated, b: Dated): boolean;
}

/** Findings of one incident, with services of others that hang together with it and have a cause of their own. */
export interface Linked {
  readonly findings: readonly Dated[];
  /** Sorted. */
  readonly services: readonly string[];
  /** Sorted; none of `services`. */
  readonly apart: readonly string[];
}

/**
 * The findings, grouped so that what is one stands together and what is apart never does: a caller that suffers from two
 * causes stands with the one whose onset is the nearer to its own, and does not make the two one. All findings of a
 * service stand together. Pure; does not depend on the order of what comes in. Work: O(n²) pairs of findings.
 */
export function linked(found: readonly Dated[], joins: Joins): readonly Linked[] {
  const units = [...Map.groupBy(found, ({ service }) => service)]
    .map(([service, findings]) => ({ service, findings }))
    .toSorted((a, b) => startOf(a.findings) - startOf(b.findings) || (a.service < b.service ? -1 : 1));
  const relations = new Map<string, Relation>();
  const related = (a: Unit, b: Unit): Relation => {
    const key = a.service < b.service ? `${a.service}\n${b.service}` : `${b.service}\n${a.service}`;
    const known = relations.get(key) ?? relationOf(a, b, joins);
    relations.set(key, known);
    return known;
  };
  const any = (relation: Relation) => (a: readonly Unit[], b: readonly Unit[]) =>
    a.some((one) => b.some((other) => related(one, other) === relation));
  const isOne = any("one");
  const isApart = any("apart");
  let groups: (readonly Unit[])[] = [];
  for (const unit of units) {
    let merged: readonly Unit[] = [unit];
    const near = groups.filter((group) => isOne(merged, group)).toSorted((a, b) => gapTo(unit, a) - gapTo(unit, b));
    for (const group of near) {
      if (isApart(merged, group)) continue;
      merged = [...group, ...merged];
      groups = groups.filter((one) => one !== group);
    }
    groups.push(merged);
  }
  return groups
    .toSorted((a, b) => startOf(findingsOf(a)) - startOf(findingsOf(b)) || (nameOf(a) < nameOf(b) ? -1 : 1))
    .map((group) => ({
      findings: findingsOf(group),
      services: namesOf(group),
      apart: namesOf(
        groups.filter((other) => other !== group && (isOne(group, other) || isApart(group, other))).flat(),
      ),
    }));
}

type Relation = "one" | "apart" | "none";

interface Unit {
  readonly service: string;
  readonly findings: readonly Dated[];
}

const startOf = (findings: readonly Dated[]): number => Math.min(...findings.map(({ onset }) => onset.at));
const findingsOf = (group: readonly Unit[]): readonly Dated[] => group.flatMap(({ findings }) => findings);
const nameOf = (group: readonly Unit[]): string => namesOf(group)[0] ?? "";
const namesOf = (group: readonly Unit[]): readonly string[] => group.map(({ service }) => service).toSorted();

/** One signal of each that is one makes the services one; else one that is apart keeps them apart. */
function relationOf(a: Unit, b: Unit, joins: Joins): Relation {
  const pairs = a.findings.flatMap((one) => b.findings.map((other) => [one, other] as const));
  if (pairs.some(([one, other]) => joins.isOne(one, other))) return "one";
  return pairs.some(([one, other]) => joins.isApart(one, other)) ? "apart" : "none";
}

const gapTo = ({ findings }: Unit, group: readonly Unit[]): number =>
  Math.min(...findings.flatMap(({ onset }) => findingsOf(group).map((other) => gapBetween(onset, other.onset))));
