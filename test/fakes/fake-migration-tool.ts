import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the tool does when it is to take a migration back; it notes every call before it does anything. */
export type Behaviour = "well" | "nothing" | "half" | "fails" | "fails-after" | "hangs" | "loud";

/**
 * A migration tool: a program of its own that keeps the schema's version in a file. `status` prints what `alembic current`
 * prints; `down VERSION` takes the newest migration back, as its behaviour says.
 */
export function fakeMigrationTool(version: string): Disposable & {
  readonly folder: string;
  readonly status: readonly string[];
  readonly rollback: readonly string[];
  behave(how: Behaviour): void;
  /** The first status after the next rollback fails: the database restarts. */
  silentOnce(): void;
  set(version: string): void;
  at(): string;
  /** The arguments of each rollback, in order. */
  calls(): readonly (readonly string[])[];
} {
  const folder = mkdtempSync(join(tmpdir(), "unship-migrations-"));
  const file = (name: string) => join(folder, name);
  writeFileSync(file("version"), version);
  writeFileSync(file("behaviour"), "well");
  writeFileSync(file("calls"), "");
  writeFileSync(file("tool.mjs"), TOOL);
  return {
    folder,
    status: [process.execPath, file("tool.mjs"), "status"],
    rollback: [process.execPath, file("tool.mjs"), "down", "{restore}"],
    behave: (how) => writeFileSync(file("behaviour"), how),
    silentOnce: () => writeFileSync(file("silent-next"), ""),
    set: (to) => writeFileSync(file("version"), to),
    at: () => readFileSync(file("version"), "utf8"),
    calls: () =>
      readFileSync(file("calls"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as string[]),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const TOOL = `
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const file = (name) => join(import.meta.dirname, name);
const [verb, ...rest] = process.argv.slice(2);
const version = readFileSync(file("version"), "utf8");
if (verb === "status") {
  if (version === "silent") process.exit(3);
  if (existsSync(file("silent-now"))) {
    rmSync(file("silent-now"));
    process.exit(4);
  }
  console.log("INFO  context of " + (process.env.DATABASE_URL ?? "nothing"));
  console.log(version + " (head)");
} else {
  appendFileSync(file("calls"), JSON.stringify(rest) + "\\n");
  const how = readFileSync(file("behaviour"), "utf8");
  const to = rest[0];
  if (existsSync(file("silent-next"))) renameSync(file("silent-next"), file("silent-now"));
  if (how === "well" || how === "fails-after") writeFileSync(file("version"), to);
  if (how === "half") writeFileSync(file("version"), "neither");
  if (how === "hangs") setInterval(() => {}, 1000);
  if (how === "loud") for (let at = 0; at < 50_000; at += 1) console.error("line " + at + " " + process.env.DATABASE_URL);
  if (how.startsWith("fails") || how === "loud" || how === "half") {
    console.error("ERROR cannot drop column of " + process.env.DATABASE_URL);
    process.exitCode = 7;
  }
}
`;
