import { skeleton } from "../../model/skeleton.ts";
import { didYouMean, editDistance } from "../nearest.ts";
import { type Check, isMap, listAt, mapAt, type Placed, repeats, valueTroubleAt, writtenAt } from "./check.ts";

function textsAt(file: unknown, ...path: readonly string[]): readonly Placed<string>[] {
  return listAt(file, ...path).flatMap(({ path, value }) => (typeof value === "string" ? [{ path, value }] : []));
}

function edgesIn(file: unknown): readonly Placed<string>[] {
  return listAt(file, "topology", "edges").flatMap(({ path, value }) =>
    Array.isArray(value)
      ? value.flatMap((end: unknown, index) =>
          typeof end === "string" ? [{ path: [...path, index], value: end }] : [],
        )
      : [],
  );
}

/** Services that the file names; null where it names none, and then nothing can be said of other names. */
function knownServices(file: unknown): readonly string[] | null {
  const named = Object.keys(mapAt(file, "services"));
  return named.length === 0 ? null : [...new Set([...named, ...edgesIn(file).map(({ value }) => value)])];
}

/** Two people with one name, one token, or one account elsewhere would be one person in the ledger. */
export const approversAreDistinct: Check = ({ file, raw }) => {
  const approvers = listAt(file, "approvers").flatMap(({ path, value }) => (isMap(value) ? [{ path, value }] : []));
  const by = (key: string) =>
    repeats(approvers, (approver) => {
      const value = approver[key];
      if (typeof value !== "string") return null;
      // A name that looks like another one is the same to whoever reads it, and counts as one person (`peopleOf`).
      if (key === "name") return skeleton(value);
      return key === "token_key" ? value : value.toLowerCase();
    });
  return [
    ...by("name").map(({ path }) =>
      valueTroubleAt(
        [...path, "name"],
        `is ${writtenAt(raw, [...path, "name"])}, which is given above already`,
        "each person once",
      ),
    ),
    ...by("oidc").map(({ path, first }) =>
      valueTroubleAt(
        [...path, "oidc"],
        `is the same as that of approvers[${String(first[1])}]`,
        "each person is one subject of the issuer",
      ),
    ),
    ...by("slack").map(({ path, first }) =>
      valueTroubleAt(
        [...path, "slack"],
        `is the same as that of approvers[${String(first[1])}]`,
        "each person is one member of Slack",
      ),
    ),
    ...["token_sha256", "token_key"].flatMap((key) =>
      by(key).map(({ path, first }) =>
        valueTroubleAt(
          [...path, key],
          `is the same as that of approvers[${String(first[1])}]`,
          "each person has a token of their own",
        ),
      ),
    ),
  ];
};

/** An approver of a service that does not exist finds out at night. */
export const approversServicesExist: Check = ({ file, raw }) => {
  const known = knownServices(file);
  if (known === null) return [];
  return listAt(file, "approvers").flatMap(({ path }) =>
    textsInside(file, path, "services")
      .filter(({ value }) => !known.includes(value))
      .map(({ path: at, value }) =>
        valueTroubleAt(at, `is ${writtenAt(raw, at)}, which is no service of this file`, didYouMean(value, known)),
      ),
  );
};

function textsInside(file: unknown, path: readonly (string | number)[], key: string): readonly Placed<string>[] {
  const [list = "", index = 0] = path;
  const entry = listAt(file, String(list))[Number(index)]?.value;
  const values = isMap(entry) ? entry[key] : undefined;
  if (!Array.isArray(values)) return [];
  return values.flatMap((value: unknown, at) =>
    typeof value === "string" ? [{ path: [...path, key, at], value }] : [],
  );
}

/**
 * A protected name that is one or two slips from a service of this file, and matches nothing in it, protects nothing.
 * Other unknown names are left alone: they may be workloads, applications or owners of flags.
 */
export const protectedNamesMatch: Check = ({ file, raw }) => {
  const services = mapAt(file, "services");
  const matchable = [
    ...(knownServices(file) ?? []),
    ...Object.values(services).flatMap((service) => {
      const flags: readonly unknown[] = isMap(service) && Array.isArray(service.flags) ? service.flags : [];
      return [mapAt(service, "workload").name, isMap(service) ? service.argocd_application : null, ...flags];
    }),
  ].filter((name) => typeof name === "string");
  return textsAt(file, "execution", "guardrails", "never_auto_rollback").flatMap(({ path, value }) => {
    if (matchable.includes(value) || value.length < 5 || value.length > 80) return [];
    const meant = matchable.find((name) => editDistance(name, value) <= 2);
    if (meant === undefined) return [];
    return [
      valueTroubleAt(
        path,
        `is ${writtenAt(raw, path)}, which matches nothing in this file`,
        `did you mean ${meant}? if not, name it under services`,
      ),
    ];
  });
};

/** An external node is one of the graph's, and no service that could be rolled back. */
export const externalNodesAreInTheGraph: Check = ({ file, raw }) => {
  const nodes = [...new Set(edgesIn(file).map(({ value }) => value))];
  const services = mapAt(file, "services");
  return textsAt(file, "topology", "external").flatMap(({ path, value }) => {
    if (Object.hasOwn(services, value)) {
      return [
        valueTroubleAt(
          path,
          `is ${writtenAt(raw, path)}, which services describes as one of yours`,
          "remove it from one of the two",
        ),
      ];
    }
    if (nodes.includes(value)) return [];
    return [valueTroubleAt(path, `is ${writtenAt(raw, path)}, which no edge names`, didYouMean(value, nodes))];
  });
};
