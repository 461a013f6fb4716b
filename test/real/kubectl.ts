import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { realParts } from "./real-parts.ts";

export interface KubectlProgram {
  readonly path: string;
  /** 36 of v1.36.3. */
  readonly minor: number;
}

/**
 * Oldest minor version that the tests are written for. Debian 12's own package (1.20) words answers, writes defaults and
 * asks for OpenAPI as no supported version does.
 */
const OLDEST = 32;

/** kubectl's own templates say `creationTimestamp: null` before this minor version, a server's since then do not. */
export const WITHOUT_NULL_TIMESTAMPS = 34;

/** The real parts' own where a folder is given, else the newest on the path; null where none is new enough. */
export const KUBECTL: KubectlProgram | null = find();

function find(): KubectlProgram | null {
  const parts = realParts();
  const given = parts?.has("kubectl") === true ? [parts.program("kubectl")] : [];
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "kubectl"));
  const candidates = given.length > 0 ? given : onPath.filter((path) => existsSync(path));
  return candidates
    .map((path) => ({ path, minor: minorOf(path) }))
    .filter(({ minor }) => minor >= OLDEST)
    .reduce<KubectlProgram | null>((best, one) => (best === null || one.minor > best.minor ? one : best), null);
}

function minorOf(path: string): number {
  const { stdout } = spawnSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" });
  const [, minor = "0"] = /"gitVersion":\s*"v1\.(\d+)/.exec(stdout ?? "") ?? [];
  return Number(minor);
}

/** Whether there is one that tests may use; where not, says so by name, and the caller skips. */
export function hasKubectl(): boolean {
  if (KUBECTL !== null) return true;
  console.warn(`not run: kubectl 1.${OLDEST} or newer (npm run real-parts -- DIR, then UNSHIP_REAL_PARTS=DIR)`);
  return false;
}
