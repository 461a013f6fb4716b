import { spawnSync } from "node:child_process";

const HAS_SETPRIV = spawnSync("setpriv", ["--version"]).status === 0;

/**
 * The command and arguments that start a program which ends with this process, however this one ends: under `setpriv
 * --pdeathsig` where it is installed (util-linux), which replaces itself by the program, whose pid is then the child's.
 */
export function tied(path: string, args: readonly string[]): readonly [command: string, args: readonly string[]] {
  return HAS_SETPRIV ? ["setpriv", ["--pdeathsig", "KILL", path, ...args]] : [path, args];
}
