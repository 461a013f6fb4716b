import type { OwnWrite } from "./deployer.ts";
import type { FlagWrite } from "./flags/server.ts";

/** A mutating request that one of the sandbox's APIs took in. */
export interface SandboxWrite {
  readonly api: "kubernetes" | "flags";
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Whether the sandbox's own people made it (the scenario's deployer, the release desk), or somebody else. */
  readonly own: boolean;
}

export interface ClusterWrite {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** All writes in the order of time. `guest` names the flag token that the sandbox hands out; all others are its own. */
export function mergeWrites(
  cluster: readonly ClusterWrite[],
  flags: readonly FlagWrite[],
  { sent, guest }: { readonly sent: readonly OwnWrite[]; readonly guest: string },
): readonly SandboxWrite[] {
  const unclaimed = sent.map(signature);
  const fromCluster = cluster.map((write): SandboxWrite => {
    const at = unclaimed.indexOf(signature(write));
    if (at >= 0) unclaimed.splice(at, 1);
    return { api: "kubernetes", ...write, own: at >= 0 };
  });
  const fromFlags = flags.map(
    ({ by, ...write }): SandboxWrite => ({ api: "flags", ...write, own: by !== null && by !== guest }),
  );
  return [...fromCluster, ...fromFlags].sort((a, b) => a.at - b.at);
}

/** Method, path without its query, and body, whether it is kept as text or parsed. */
function signature({ method, path, body }: { method: string; path: string; body: unknown }): string {
  return JSON.stringify([method, path.split("?")[0], typeof body === "string" ? JSON.parse(body) : body]);
}
