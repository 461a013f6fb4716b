import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Builds `dist/` for publishing: JavaScript by tsc, and the prose and data files that the code reads beside itself. */
const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
for (const file of [
  "package.json",
  ...globSync("{agent/prompts/*.md,evals/sandbox/**/*.json,examples/*.yaml,docs/separation.md}", { cwd: root }),
]) {
  mkdirSync(dirname(join(root, "dist", file)), { recursive: true });
  cpSync(join(root, file), join(root, "dist", file));
}
