import type { Application } from "./application.ts";
import type { ArgocdClient } from "./client.ts";

/** What a rollback here does to an application, and what takes it away altogether. */
const ACTIONS = ["sync", "update", "rollback", "delete"] as const;

/** So many applications are asked about: rights are given by project, and seldom to one application alone. */
const MOST_ASKED = 50;

/**
 * What the token of `client` may change of the applications that it sees, as Argo CD says. Writes nothing.
 * `rollback` is a right of its own only where the server enforces it as one; elsewhere it is part of `sync`, and a server
 * that does not know it leaves nothing unsaid.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/
 */
export async function applicationRights(
  client: ArgocdClient,
  abort: AbortSignal,
): Promise<{ readonly may: readonly string[]; readonly untold: readonly string[] }> {
  const all = await client.applications(abort);
  const asked = await Promise.all(
    all.slice(0, MOST_ASKED).flatMap((application) =>
      ACTIONS.map(async (action) => {
        const { project, name } = namesOf(application);
        return { action, name, answer: await client.mayDo(action, project, name, abort) };
      }),
    ),
  );
  const text = ({ action, name }: (typeof asked)[number]) => `${action} ${name}`;
  return {
    may: asked.filter(({ answer }) => answer === true).map(text),
    untold: [
      ...asked.filter(({ action, answer }) => answer === null && action !== "rollback").map(text),
      ...(all.length > MOST_ASKED ? [`anything of ${all.length - MOST_ASKED} more applications`] : []),
      ...(all.length === 0 ? ["it sees no application"] : []),
    ],
  };
}

const namesOf = ({ metadata, spec }: Application) => ({
  // An application that names none is of this one.
  project: spec.project || "default",
  name: metadata.name,
});
