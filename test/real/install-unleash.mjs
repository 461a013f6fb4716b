// Plain JavaScript: CI runs it with whatever Node the machine has, before `npm ci` has brought ours.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PINNED = fileURLToPath(new URL("unleash-server", import.meta.url));
const LOCK = "package-lock.json";
/** Written last: a folder without it was not installed to its end. */
const STAMP = "installed-from.json";

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
export const UNLEASH_FOLDER = join(process.env.UNSHIP_TEST_CACHE ?? join(cache, "unship-tests"), "unleash-server");

const lock = () => readFileSync(join(PINNED, LOCK), "utf8");

export function isUnleashInstalled() {
  try {
    return readFileSync(join(UNLEASH_FOLDER, STAMP), "utf8") === lock();
  } catch {
    return false;
  }
}

/** Installs the pinned packages where they do not lie there yet; no script of theirs runs. */
function install() {
  if (isUnleashInstalled()) return;
  rmSync(join(UNLEASH_FOLDER, STAMP), { force: true });
  mkdirSync(UNLEASH_FOLDER, { recursive: true });
  for (const file of ["package.json", LOCK]) cpSync(join(PINNED, file), join(UNLEASH_FOLDER, file));
  const flags = ["--ignore-scripts", "--omit=optional", "--prefer-offline", "--no-audit", "--no-fund"];
  execFileSync("npm", ["ci", ...flags], { cwd: UNLEASH_FOLDER, stdio: "inherit" });
  writeFileSync(join(UNLEASH_FOLDER, STAMP), lock());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install();
