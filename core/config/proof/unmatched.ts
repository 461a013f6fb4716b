import type { SeenWorkload } from "../derive/evidence.ts";
import { nearest } from "../nearest.ts";
import { pathText, type Trouble } from "../variables.ts";
import { shown } from "../yaml-tree.ts";
import type { Named } from "./named.ts";

/**
 * Names of one kind that live sources told. `unknown`: a source that would tell did not answer, or may not; `absent`: the
 * file names none that could.
 */
export type Told =
  | { readonly state: "known"; readonly names: readonly string[] }
  | { readonly state: "unknown" | "absent" };

/** What the live sources know. Namespaces: those that exist, whatever runs in them. */
export interface Seen {
  /** Values of the service label. */
  readonly metrics: Told;
  /** `inNamespaces`: those that are looked at; "*": all. */
  readonly workloads:
    | { readonly state: "known"; readonly all: readonly SeenWorkload[]; readonly inNamespaces: readonly string[] }
    | { readonly state: "unknown" | "absent" };
  readonly namespaces: Told;
  readonly applications: Told;
  readonly flags: Told;
}

export interface Matched {
  /** Names that exist nowhere, though everybody who would know them has answered. */
  readonly troubles: readonly Trouble[];
  /** Names of which nobody could say whether they exist (S9). */
  readonly untold: readonly Named[];
  /** How many exist. */
  readonly found: number;
}

/**
 * Holds every name of a file against what the live sources told. A name is wrong only where each source that would know it
 * has answered; where one did not it is untold.
 */
export function matchNames(named: readonly Named[], seen: Seen): Matched {
  const troubles: Trouble[] = [];
  const untold: Named[] = [];
  let found = 0;
  for (const one of named) {
    const judged = judge(one, seen);
    if (judged === "found") found += 1;
    else if (judged === "untold") untold.push(one);
    else
      troubles.push({
        path: one.path,
        at: one.at,
        message: `${pathText(one.path)}${judged.message}`,
        hint: judged.hint,
      });
  }
  return { troubles, untold, found };
}

type Judged = "found" | "untold" | { readonly message: string; readonly hint: string };

function judge(one: Named, seen: Seen): Judged {
  if (one.kind === "workload") return judgeWorkload(one, seen);
  const asked = witnesses(one.kind, seen);
  const names = asked.flatMap(({ told, also = [] }) => [...(told.state === "known" ? told.names : []), ...also]);
  if (names.includes(one.name)) return "found";
  const whole = asked.filter(({ told }) => told.state !== "absent");
  if (whole.length === 0 || whole.some(({ told }) => told.state === "unknown")) return "untold";
  const near = nearest(one.name, names);
  const what = one.at === "key" ? "" : ` is ${shown(one.name)},`;
  const nowhere = `${what} ${one.at === "key" ? "is" : "which is"} ${whole.map(({ not }) => not).join(" and ")}`;
  const otherwise = one.kind === "any" ? "a name that matches nothing protects nothing: remove it" : remedy(one);
  return { message: nowhere, hint: near === null ? otherwise : `did you mean ${near}?` };
}

const remedy = ({ kind, path }: Named): string =>
  kind === "service" && path[0] === "topology"
    ? "list it under topology.external if it is not yours"
    : kind === "service"
      ? "remove it, or write the name that the metrics have"
      : "remove it, or write the name that it has there";

interface Witness {
  readonly told: Told;
  /** What a name is that this source does not know. */
  readonly not: string;
  /** Names that exist for certain, also where the source does not tell them all. */
  readonly also?: readonly string[];
}

/** Who would know a name of this kind. */
function witnesses(
  kind: Named["kind"],
  { metrics, workloads, namespaces, applications, flags }: Seen,
): readonly Witness[] {
  const all = workloads.state === "known" ? workloads.all : [];
  const running: Told =
    workloads.state === "known"
      ? { state: "known", names: all.flatMap(({ service, name }) => [service, name]) }
      : { state: workloads.state };
  const service: Witness = { told: metrics, not: "no service of the metrics" };
  const workload: Witness = { told: running, not: "no workload" };
  const application: Witness = { told: applications, not: "no application of Argo CD" };
  const flag: Witness = { told: flags, not: "no flag" };
  switch (kind) {
    case "service":
      return [service, workload, application];
    case "namespace":
      return [{ told: namespaces, not: "no namespace of the cluster", also: all.map(({ namespace }) => namespace) }];
    case "application":
      return [application];
    case "flag":
      return [flag];
    default:
      return [service, workload, application, flag];
  }
}

function judgeWorkload({ name, path, workload }: Named, { workloads }: Seen): Judged {
  if (workload === undefined || workloads.state !== "known") return "untold";
  // Nobody looks there, so that nobody can say what runs there.
  if (!["*", workload.namespace].some((one) => workloads.inNamespaces.includes(one))) return "untold";
  const is = (one: SeenWorkload) =>
    one.name === name && one.kind === workload.kind && one.namespace === workload.namespace;
  if (workloads.all.some(is)) return "found";
  const namesake = workloads.all.find((one) => one.name === name);
  const near = nearest(
    name,
    workloads.all.filter(({ namespace }) => namespace === workload.namespace).map((one) => one.name),
  );
  const message = ` is ${shown(name)}, and no ${workload.kind} of that name runs in namespace ${workload.namespace}`;
  if (namesake !== undefined) {
    return {
      message,
      hint: `there is a ${namesake.kind} ${namesake.name} in namespace ${namesake.namespace}: write that kind and namespace`,
    };
  }
  const where = path.slice(0, 2);
  return {
    message,
    hint:
      near === null ? `remove ${pathText([...where, "workload"])}, or write what runs there` : `did you mean ${near}?`,
  };
}
