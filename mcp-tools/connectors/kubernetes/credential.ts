import type { KubeClient } from "./client.ts";

interface Write {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

const writes = (verbs: readonly string[], group: string, resource: string, subresource?: string): readonly Write[] =>
  verbs.map((verb) => ({ verb, group, resource, ...(subresource === undefined ? {} : { subresource }) }));

/**
 * What changes production where it is granted: the workloads themselves and their scale, their pods and what runs in them,
 * and the right to make tokens of other accounts.
 */
const WRITES: readonly Write[] = [
  ...["deployments", "statefulsets", "daemonsets"].flatMap((one) =>
    writes(["patch", "update", "delete", "create"], "apps", one),
  ),
  ...["deployments", "statefulsets"].flatMap((one) => writes(["patch", "update"], "apps", one, "scale")),
  ...writes(["patch", "update", "delete", "create"], "argoproj.io", "rollouts"),
  ...["scale", "status"].flatMap((part) => writes(["patch", "update"], "argoproj.io", "rollouts", part)),
  ...writes(["create", "delete", "patch"], "", "pods"),
  ...["exec", "eviction"].flatMap((part) => writes(["create"], "", "pods", part)),
  ...writes(["create"], "", "serviceaccounts", "token"),
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
  const questions = namespaces.flatMap((namespace) => WRITES.map((write) => ({ ...write, namespace })));
  const answers = await Promise.all(
    questions.map(async (question) => ({ question, answer: await client.mayI(question, abort) })),
  );
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
  return acts ? "CAUTION: its credential may only read, so nothing can be taken back" : "its credential may only read";
}
