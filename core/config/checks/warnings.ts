import { ImpactLevel } from "../../model/impact.ts";
import { parseDuration } from "../durations.ts";
import { write } from "../hints/write.ts";
import { didYouMean, editDistance } from "../nearest.ts";
import { isSecret, secretOf, type Trouble } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { type Check, type Fields, isMap, listAt, mapAt, type Placed, valueTroubleAt, writtenAt } from "./check.ts";
import { textsIn } from "./references.ts";

/** A secret in the file is one for everybody who can read it, and for every copy of its history. */
const secretsAreReferences: Check = ({ raw }) =>
  textsIn(raw).flatMap(({ path, value }) => {
    if (!isSecret(path) || secretOf(value)?.from !== "text") return [];
    // Of its section's name only what keeps two secrets apart.
    const name = path
      .slice(path.length > 2 ? 1 : 0)
      .join("_")
      .toUpperCase()
      .replaceAll(/[^A-Z0-9_]/g, "_");
    const hint = write(`"\${${name}}"`, ", and put the secret into that variable");
    return [valueTroubleAt(path, "is the secret itself, for everybody who can read this file", hint)];
  });

/** What may be acted on where nothing is read is never acted on. */
const namespacesAreRead: Check = ({ file, raw }) => {
  const listed = listAt(file, "data_sources", "deployments").map(({ value }) => value);
  const sources = [...listed, mapAt(file, "data_sources", "deployments")].filter(isMap);
  const clusters = sources.filter(({ type }) => type === "kubernetes");
  const read = clusters.flatMap(({ namespaces }) => (Array.isArray(namespaces) ? namespaces.map(String) : ["*"]));
  if (read.length === 0 || read.includes("*")) return [];
  const acted = listAt(file, "execution", "allowed_actions").flatMap(({ path, value }) =>
    textsAt(value, "namespaces").map((one) => ({ path: [...path, ...one.path], value: one.value })),
  );
  const others = sources.length > clusters.length;
  const own = Object.entries(mapAt(file, "services")).flatMap(([name, service]): readonly Placed<string>[] =>
    isMap(service) && typeof service.namespace === "string" && !others
      ? [{ path: ["services", name, "namespace"], value: service.namespace }]
      : [],
  );
  return [...acted, ...own]
    .filter(({ value }) => value !== "*" && !read.includes(value))
    .map(({ path, value }) => {
      const message = `is ${writtenAt(raw, path)}, of which data_sources.deployments.namespaces reads nothing`;
      return valueTroubleAt(path, message, didYouMean(value, read));
    });
};

/** Of importance, the least first. */
const LEVELS: readonly unknown[] = ImpactLevel.options;

/** An approver whom every rule excludes finds that out at night. */
const approversMayApprove: Check = ({ file }) => {
  const allowed = listAt(file, "execution", "allowed_actions").flatMap(({ value }) =>
    isMap(value) && typeof value.type === "string" ? [value.type] : [],
  );
  const services = mapAt(file, "services");
  return listAt(file, "approvers").flatMap(({ path, value }): readonly Trouble[] => {
    if (!isMap(value)) return [];
    const actions = textsAt(value, "actions").map((one) => one.value);
    const useless = actions.length > 0 && allowed.length > 0 && !actions.some((one) => allowed.includes(one));
    const least = leastNeeded(value, services);
    const most = LEVELS.indexOf(value.up_to);
    return [
      ...(useless
        ? [
            valueTroubleAt(
              [...path, "actions"],
              "lets this person approve nothing: execution.allowed_actions has none of them",
              write(`[${[...new Set(allowed)].join(", ")}]`),
            ),
          ]
        : []),
      ...(least !== null && most >= 0 && most < least
        ? [
            valueTroubleAt(
              [...path, "up_to"],
              `is ${String(value.up_to)}, and each service that this person may approve for is more important`,
              write(ImpactLevel.options[least] ?? "critical", " or more"),
            ),
          ]
        : []),
    ];
  });
};

/** The importance of the least important service that somebody may approve for; null: the file does not say. */
function leastNeeded(approver: Fields, services: Fields): number | null {
  const own = textsAt(approver, "services").map(({ value }) => value);
  const names = own.length > 0 ? own : Object.keys(services);
  if (names.length === 0 || names.some((name) => !isMap(services[name]))) return null;
  const levels = names.map((name) => LEVELS.indexOf(importanceOf(services[name])));
  return levels.includes(-1) ? null : Math.min(...levels);
}

const importanceOf = (service: unknown): unknown => (isMap(service) ? (service.criticality ?? "medium") : null);

/** Names of services that are one or two slips from one that the file describes, in the places where any name may be. */
const servicesAreSpelled: Check = ({ file, raw }) => {
  const described = Object.keys(mapAt(file, "services"));
  const external = listAt(file, "topology", "external").map(({ value }) => value);
  const edges = listAt(file, "topology", "edges").flatMap(({ path, value }) =>
    Array.isArray(value) ? textsIn(value).map((one) => ({ path: [...path, ...one.path], value: one.value })) : [],
  );
  const often = (name: string) => edges.filter(({ value }) => value === name).length > 1;
  const listed = (...at: readonly string[]) =>
    listAt(file, ...at).flatMap(({ path, value }) =>
      textsAt(value, "services").map((one) => ({ path: [...path, ...one.path], value: one.value })),
    );
  const migrations = listAt(file, "data_sources", "migrations").flatMap(({ path, value }) =>
    isMap(value) && typeof value.service === "string" ? [{ path: [...path, "service"], value: value.service }] : [],
  );
  const named: readonly Placed<string>[] = [
    ...edges.filter(({ value }) => !often(value)),
    ...listed("freeze_windows"),
    ...listed("approval", "two_persons"),
    ...migrations,
  ];
  return named.flatMap(({ path, value }) => {
    if (described.includes(value) || external.includes(value)) return [];
    const meant = described.find((name) => isSlip(value, name));
    if (meant === undefined) return [];
    const message = `is ${writtenAt(raw, path)}, which services does not describe`;
    return [valueTroubleAt(path, message, `did you mean ${meant}? if not, name it under services`)];
  });
};

/** Short names are near to many others; names that only count (`redis-1`, `cache-b`) differ on purpose. */
function isSlip(word: string, name: string): boolean {
  const least = Math.min(word.length, name.length);
  if (least < 5 || word.length > 80 || name.length > 80 || uncounted(word) === uncounted(name)) return false;
  return editDistance(word, name) <= (least < 7 ? 1 : 2);
}

const uncounted = (name: string): string => name.replaceAll(/\d+/g, "").replace(/[-_.][a-z]?$/i, "");

/** Texts of the list under a key, each with the path from the map on. */
function textsAt(map: unknown, key: string): readonly Placed<string>[] {
  const list = isMap(map) ? map[key] : undefined;
  return Array.isArray(list) ? textsIn(list).map(({ path, value }) => ({ path: [key, ...path], value })) : [];
}

interface Zone {
  readonly policy: string;
  readonly path: Path;
  readonly threshold: number;
  readonly upper: number | null;
  readonly duration: unknown;
}

/**
 * People are asked below what is rolled back without them: where that begins no sooner, or `upper_bound` reads as if a gap were
 * between the two, the pen slipped. The bound itself ends nothing: what is above it counts as well.
 */
const zonesMeet: Check = ({ file }) => {
  const automatic = zonesOf(file, "rollback_immediate");
  const asked = zonesOf(file, "notify_and_recommend");
  return [...asked].flatMap(([metric, zones]) => {
    const acting = (automatic.get(metric) ?? []).toSorted((one, other) => one.threshold - other.threshold);
    const [first] = acting;
    if (first === undefined || first.threshold <= 0) return [];
    const all = [...acting, ...zones];
    const nobodyBefore = zones.every((zone) =>
      acting.some((one) => one.threshold <= zone.threshold && lasts(one) <= lasts(zone)),
    );
    return zones.flatMap((zone): readonly Trouble[] => {
      const { upper } = zone;
      const begins = `${first.policy} rolls back above ${first.threshold}`;
      if (nobodyBefore) {
        const message = `is ${zone.threshold}, though ${begins}: nobody is asked before that`;
        const hint = write(String(Number((first.threshold / 2).toPrecision(6))), `, say: less than ${first.threshold}`);
        return [valueTroubleAt([...zone.path, "threshold"], message, hint)];
      }
      const isCovered = all.some((one) => upper !== null && one.threshold <= upper && (one.upper ?? Infinity) > upper);
      if (upper === null || upper >= first.threshold || upper <= zone.threshold || isCovered) return [];
      const message = `is ${upper}, and ${begins}: what is between the two fires this condition all the same`;
      return [valueTroubleAt([...zone.path, "upper_bound"], message, write(String(first.threshold)))];
    });
  });
};

/** How long a condition must hold, ms; what is no duration is refused elsewhere. */
const lasts = ({ duration }: Zone): number => (typeof duration === "string" ? (parseDuration(duration) ?? 0) : 0);

/** By metric, the conditions of the policies with this action that fire above a threshold. */
function zonesOf(file: unknown, action: string): ReadonlyMap<string, readonly Zone[]> {
  const found = new Map<string, Zone[]>();
  for (const [policy, one] of Object.entries(mapAt(file, "rollback_policies"))) {
    if (!isMap(one) || one.action !== action) continue;
    for (const { path, value } of listAt(file, "rollback_policies", policy, "conditions")) {
      if (!isMap(value) || typeof value.metric !== "string" || value.comparison === "less_than") continue;
      const { metric, threshold, upper_bound: upper, duration } = value;
      if (typeof threshold !== "number") continue;
      const zone = { policy, path, threshold, upper: typeof upper === "number" ? upper : null, duration };
      found.set(metric, [...(found.get(metric) ?? []), zone]);
    }
  }
  return found;
}

/** What is legal, and most likely not what its writer wants. */
export const WARNINGS: readonly Check[] = [
  secretsAreReferences,
  namespacesAreRead,
  approversMayApprove,
  servicesAreSpelled,
  zonesMeet,
];
