import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { UnshipError } from "../../core/errors.ts";
import { refused } from "../../core/guardrails/refusal.ts";

/** Group and others: a personal token that they can read is no longer personal. */
const OTHERS = 0o077;
const ROOT = 0;

/**
 * Reads a personal token from a file. `agentFile`: what the agent's own user owns (the ledger, the memory); null: whose
 * file it is does not matter. Throws "approval.refused" where others than its owner can read it, where nobody can, or
 * where the agent's user could: what the agent can read proves nobody's identity (S3). Looks at owner and mode; rights
 * that a system grants beside them (access control lists, capabilities) it cannot see.
 */
export async function readSecretFile(path: string, agentFile: string | null): Promise<string> {
  try {
    const { mode, uid } = statSync(path);
    if ((mode & OTHERS) !== 0) throw refused(`others can read ${path}; chmod 600 it`);
    if (agentFile !== null) {
      const why = whyReadable(uid, ownerOf(agentFile));
      if (why !== null)
        throw refused(`${path} ${why}; type the token at a terminal, or keep it under a user of your own`);
    }
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof UnshipError) throw cause;
    throw new UnshipError(
      "approval.refused",
      { what: "token", reason: `${path} cannot be read (${codeOf(cause)})` },
      { cause },
    );
  }
}

/** `ENOENT`, `EACCES`, `EISDIR`, as the system calls it. */
const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "cause unknown";

/** Why the agent's user can read a private file of `owner` (user ids); null: it cannot. `agent` null: not known. */
export function whyReadable(owner: number, agent: number | null): string | null {
  if (agent === null) return "may be readable by the agent: which user the agent runs as cannot be determined";
  if (agent === ROOT) return "can be read by the agent, which runs as root";
  return owner === agent ? "belongs to the user who owns the ledger, so the agent can read it" : null;
}

/**
 * Who owns a file, or the nearest folder above it that hides it from this user: the agent's own folder, which it keeps
 * from others. null: there is none such. `stat` throws as `statSync` does.
 */
export function ownerOf(path: string, stat: (path: string) => { readonly uid: number } = statSync): number | null {
  try {
    return stat(path).uid;
  } catch (error) {
    const hidden = error instanceof Error && "code" in error && error.code === "EACCES";
    const above = dirname(path);
    return hidden && above !== path ? ownerOf(above, stat) : null;
  }
}
