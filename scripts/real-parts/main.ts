import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GO, GO_PARTS, type GoPart, JAVA, MODULE_FILES, OTHER } from "./catalog.ts";
import { compile, goVersion, requireGo, takeFiles } from "./compile.ts";
import { unpackParts } from "./unpack.ts";

/**
 * Obtains the real servers that the tests use where `UNSHIP_REAL_PARTS` names their folder: unmodified, each from its
 * ordinary client, the versions pinned. `--from` takes compiled programs from a folder of `NAME.xz` and `SHA256SUMS`
 * instead of compiling them for half an hour.
 */
const USAGE = `npm run real-parts -- DIR [--from COMPILED] [--only NAME,NAME]

DIR        the folder to fill; afterwards: UNSHIP_REAL_PARTS=DIR npm test
--from     a folder of compiled parts (NAME.xz, SHA256SUMS) to unpack instead of compiling
--only     some of: ${[...GO_PARTS.map(({ name }) => name), "maven", "python"].join(", ")}

Compiling takes Go ${GO} and about 35 minutes on two cores; OpenSearch and Zipkin take Maven and Java ${JAVA}; moto takes
Python with pip. Debian has the rest: apt-get install ${OTHER.debian.join(" ")}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { from: { type: "string" }, only: { type: "string" }, help: { type: "boolean", short: "h" } },
});
const [folder] = positionals;
if (folder === undefined || positionals.length > 1 || values.help === true) {
  console.log(USAGE);
  process.exit(values.help === true ? 0 : 2);
}
const to = resolve(folder);
const only = values.only?.split(",");
const unknown = (only ?? []).filter((name) => ![...GO_PARTS.map((one) => one.name), "maven", "python"].includes(name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(", ")}.\n\n${USAGE}`);
  process.exit(2);
}
const isWanted = (name: string) => only === undefined || only.includes(name);
mkdirSync(to, { recursive: true });

/** Parts that could not be had, and why. One that cannot be had keeps no other from being had. */
const problems: string[] = [];
const attempt = (name: string, work: () => void): void => {
  try {
    work();
    console.log(`ok       ${name}`);
  } catch (error) {
    problems.push(name);
    console.log(`not had: ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const wanted = GO_PARTS.filter(({ name }) => isWanted(name));
if (values.from !== undefined) {
  const names = wanted.map(({ name }) => name);
  let unpacked: readonly string[] = [];
  attempt(`compiled parts of ${values.from}`, () => {
    unpacked = unpackParts(resolve(values.from ?? ""), to, names);
  });
  for (const part of wanted.filter(({ name }) => unpacked.includes(name))) attempt(part.what, () => verify(part));
  for (const name of names.filter((one) => !unpacked.includes(one))) attempt(name, () => fail("it is not in there"));
} else {
  for (const part of wanted) {
    attempt(part.what, () => {
      requireGo();
      compile(part, to);
      verify(part);
    });
  }
}
for (const files of MODULE_FILES) {
  if (!isWanted(files.part) || existsSync(join(to, files.to))) continue;
  attempt(files.name, () => {
    if (goVersion() === null) fail("the module that holds them is had through Go, which is not installed");
    takeFiles(files, to);
  });
}
if (values.from === undefined && isWanted("maven")) attempt(OTHER.maven, obtainMaven);
if (values.from === undefined && isWanted("python")) attempt(OTHER.python, obtainPython);

console.log(`${to}: UNSHIP_REAL_PARTS=${to} npm test`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Links it under its names and starts it once. */
function verify({ name, links = [], check }: GoPart): void {
  for (const link of links) {
    rmSync(join(to, link), { force: true });
    symlinkSync(name, join(to, link));
  }
  const { stdout, stderr, error } = spawnSync(join(to, check.as ?? name), check.args, {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (error !== undefined || !check.prints.test(`${stdout}${stderr}`))
    fail(`it does not run as it should: ${error?.message ?? `${stdout}${stderr}`.slice(0, 300)}`);
}

function obtainMaven(): void {
  const output = join(to, "maven");
  execFileSync(
    "mvn",
    ["-q", "-f", join(import.meta.dirname, "pom.xml"), "dependency:copy-dependencies", `-DoutputDirectory=${output}`],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  cpSync(join(import.meta.dirname, "pom.xml"), join(output, "pom.xml"));
}

function obtainPython(): void {
  const environment = join(to, "python");
  execFileSync("python3", ["-m", "venv", environment], { stdio: "inherit" });
  const requirements = join(import.meta.dirname, "requirements.txt");
  execFileSync(join(environment, "bin/pip"), ["install", "-q", "-r", requirements], { stdio: "inherit" });
}

function fail(why: string): never {
  throw new Error(why);
}
