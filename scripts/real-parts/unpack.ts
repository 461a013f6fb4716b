import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Compiled parts (`NAME.xz` beside `SHA256SUMS`) unpacked into `to`, those alone whose sum has changed since the last
 * time. Every file is checked against its sum before it is unpacked; throws where one differs or is missing from the
 * list. `names`: those wanted; absent, all. Returns the names that are there now.
 */
export function unpackParts(from: string, to: string, names?: readonly string[]): readonly string[] {
  const list = join(from, "SHA256SUMS");
  if (!existsSync(list)) throw new Error(`${from} has no SHA256SUMS: it is no folder of compiled parts`);
  const sums = new Map(
    readFileSync(list, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+\*?/))
      .map(([sum = "", file = ""]) => [file, sum] as const),
  );
  const files = [...sums.keys()].filter((file) => file.endsWith(".xz"));
  return files
    .map((file) => file.slice(0, -".xz".length))
    .filter((name) => names === undefined || names.includes(name))
    .filter((name) => existsSync(join(from, `${name}.xz`)))
    .map((name) => {
      unpack(join(from, `${name}.xz`), join(to, name), sums.get(`${name}.xz`) ?? "");
      return name;
    });
}

function unpack(archive: string, program: string, wanted: string): void {
  const mark = `${program}.from`;
  if (existsSync(program) && existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  const found = createHash("sha256").update(readFileSync(archive)).digest("hex");
  if (found !== wanted) throw new Error(`${archive}: its SHA-256 is ${found}, and SHA256SUMS says ${wanted}`);
  // Whole or not at all: another run may look for it meanwhile.
  const half = `${program}.half-${process.pid}`;
  const output = openSync(half, "w");
  try {
    execFileSync("xz", ["-dc", archive], { stdio: ["ignore", output, "inherit"] });
    chmodSync(half, 0o755);
    renameSync(half, program);
    writeFileSync(mark, wanted);
  } finally {
    closeSync(output);
    rmSync(half, { force: true });
  }
}
