import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GO_PARTS } from "../../scripts/real-parts/catalog.ts";
import { unpackParts } from "../../scripts/real-parts/unpack.ts";
import { requireReal } from "../real-component.ts";

const ROOT = join(import.meta.dirname, "../..");

function compiled(programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "unship-parts-"));
  const to = mkdtempSync(join(tmpdir(), "unship-parts-"));
  const write = (name: string, text: string) => {
    const archive = execFileSync("xz", ["-c"], { input: text });
    writeFileSync(join(folder, `${name}.xz`), archive);
    return createHash("sha256").update(archive).digest("hex");
  };
  const seal = (all: Readonly<Record<string, string>>) => {
    const lines = Object.entries(all).map(([name, text]) => `${write(name, text)}  ${name}.xz\n`);
    writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
  };
  seal(programs);
  return {
    folder,
    to,
    write,
    seal,
    [Symbol.dispose]: () => {
      for (const one of [folder, to]) rmSync(one, { recursive: true, force: true });
    },
  };
}

describe.runIf(requireReal("xz", "xz-utils"))("compiled parts", () => {
  it("are unpacked as programs, and again only where they changed", () => {
    using parts = compiled({ one: "#!/bin/sh\necho one\n", two: "two" });
    expect(unpackParts(parts.folder, parts.to)).toEqual(["one", "two"]);
    expect(execFileSync(join(parts.to, "one"), { encoding: "utf8" })).toBe("one\n");
    const before = statSync(join(parts.to, "two")).ino;
    parts.seal({ one: "#!/bin/sh\necho newer\n", two: "two" });
    unpackParts(parts.folder, parts.to);
    expect(execFileSync(join(parts.to, "one"), { encoding: "utf8" })).toBe("newer\n");
    expect(statSync(join(parts.to, "two")).ino).toBe(before);
  });

  it("are refused where one is not what its sum says, and nothing of it is left", () => {
    using parts = compiled({ one: "one" });
    parts.write("one", "another");
    expect(() => unpackParts(parts.folder, parts.to)).toThrow(/one\.xz: its SHA-256 is/);
    expect(existsSync(join(parts.to, "one"))).toBe(false);
  });

  it("that are not listed are not taken, nor those that nobody asked for", () => {
    using parts = compiled({ one: "one", two: "two" });
    parts.write("three", "three");
    expect(unpackParts(parts.folder, parts.to, ["two", "three"])).toEqual(["two"]);
  });

  it("need a list of sums", () => {
    using parts = compiled({});
    rmSync(join(parts.folder, "SHA256SUMS"));
    expect(() => unpackParts(parts.folder, parts.to)).toThrow(/no folder of compiled parts/);
  });
});

describe("npm run real-parts", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, "scripts/real-parts/main.ts"), ...args], { encoding: "utf8" });

  it("says what it needs, and refuses a part that there is not", () => {
    expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringMatching(/Go 1\.26.*Java 21/s) });
    expect(run().status).toBe(2);
    expect(run("/nowhere", "--only", "windows")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("windows"),
    });
  });

  it.each(GO_PARTS)("$name is pinned by a go.mod and its sums", ({ name, package: what }) => {
    const folder = join(ROOT, "scripts/real-parts/go", name);
    const module = readFileSync(join(folder, "go.mod"), "utf8");
    expect(existsSync(join(folder, "go.sum"))).toBe(true);
    if (what === ".") expect(existsSync(join(folder, "main.go"))).toBe(true);
    else expect(module).toMatch(new RegExp(`^tool ${what}$`, "m"));
  });
});
