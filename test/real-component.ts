import { spawnSync } from "node:child_process";

/**
 * Whether a real program is on this machine. Where it is not: with `UNSHIP_REQUIRE_REAL=1` (as in CI) this throws, so
 * that a skip is a failure; otherwise it says which Debian package would enable the test, and the caller skips.
 */
export function requireReal(program: string, debianPackage: string): boolean {
  const found = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  return requireInstalled(found, program, `apt-get install ${debianPackage}`);
}

/** The same for what is looked for in another way; `install` is the command that brings it. */
export function requireInstalled(found: boolean, component: string, install: string): boolean {
  if (found) return true;
  const message = `${component} is not installed: ${install}`;
  if (process.env.UNSHIP_REQUIRE_REAL === "1") throw new Error(message);
  console.warn(`skipped: ${message}`);
  return false;
}
