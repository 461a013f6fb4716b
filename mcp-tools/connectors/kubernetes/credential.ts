import type { KubeClient } from "./client.ts";

interface Write {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

const writes = (verbs: readonly string[], group: string, resource: string, subresource?: string): readonly Write[] =>
  verbs.map((verb) => ({ verb, group, resource, ...(subresource === undefined ? {} : { subresource }) }));

/** "deletecollection" is a verb of its own: who has it alone still deletes all of them. */
const CHANGE = ["patch", "update", "delete", "create", "deletecollection"] as const;

/**
 * What changes production where it is granted: the workloads themselves and their scale, their pods and what runs in them,
 * what pods are made of or by, and the ways to other accounts' rights.
 *
 * @see https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
 */
const WRITES: readonly Write[] = [
  ...["deployments", "statefulsets", "daemonsets", "replicasets"].flatMap((one) => writes(CHANGE, "apps", one)),
  ...["deployments", "statefulsets", "replicasets"].flatMap((one) => writes(["patch", "update"], "apps", one, "scale")),
  ...writes(CHANGE, "argoproj.io", "rollouts"),
  ...["scale", "status"].flatMap((part) => writes(["patch", "update"], "argoproj.io", "rollouts", part)),
  ...writes(CHANGE, "", "pods"),
  ...["exec", "attach", "eviction"].flatMap((part) => writes(["create"], "", "pods", part)),
  ...writes(["patch", "update"], "", "pods", "ephemeralcontainers"),
  ...["jobs", "cronjobs"].flatMap((one) => writes(["create", "patch", "update"], "batch", one)),
  ...writes(["patch", "update"], "", "configmaps"),
  ...writes(["create"], "", "serviceaccounts", "token"),
  ...writes(["impersonate"], "", "serviceaccounts"),
  ...["roles", "rolebindings"].flatMap((one) =>
    writes(["create", "patch", "update"], "rbac.authorization.k8s.io", one),
  ),
];

/** What a credential may change, as the API server says. */
export interface WriteRights {
  /** "patch deployments in shop", sorted; empty: nothing of what was asked. */
  readonly may: readonly string[];
  /** Some question had no answer, so there may be more. */
  readonly untold: boolean;
}

/** Asks the API server what the credential of `client` may change in these namespaces ("*": in all). Writes nothing. */
export async function writeRights(
  client: KubeClient,
  namespaces: readonly string[],
  abort: AbortSignal,
): Promise<WriteRights> {
  const answers: { readonly question: Write & { readonly namespace: string }; readonly answer: boolean | null }[] = [];
  // One namespace after the other: all at once would be thousands of questions, of which a busy server refuses some.
  for (const namespace of namespaces) {
    const ask = async (write: Write) => {
      const question = { ...write, namespace };
      return { question, answer: await client.mayI(question, abort) };
    };
    answers.push(...(await Promise.all(WRITES.map(ask))));
  }
  return {
    may: answers
      .flatMap(({ question: { verb, resource, subresource, namespace }, answer }) =>
        answer === true
          ? [
              `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`} in ${namespace === "*" ? "every namespace" : namespace}`,
            ]
          : [],
      )
      .sort(),
    untold: answers.some(({ answer }) => answer === null),
  };
}

/** Words for `unship check`. `acts`: this process' credential also executes, so that it has to write. */
export function rightsText({ may, untold }: WriteRights, acts: boolean): string {
  const more = untold ? ", and cannot tell what else" : "";
  if (may.length > 0) {
    const what = `its credential may ${may[0]}${may.length === 1 ? "" : ` and ${may.length - 1} more`}${more}`;
    return acts ? `${what}: it reads and acts` : `CAUTION: in mode observe it only reads, and ${what}`;
  }
  if (untold) return "cannot tell whether its credential may change workloads";
  return acts ? "CAUTION: its credential may only read, so nothing can be rolled back" : "its credential may only read";
}
