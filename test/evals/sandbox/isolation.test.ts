import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SERVICE = join(import.meta.dirname, "../../../evals/sandbox/service");
const files = readdirSync(SERVICE).filter((file) => file.endsWith(".ts"));

/** What a file imports, types included. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(SERVICE, file), "utf8");
  return [...text.matchAll(/\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/g)].map(
    ([, from, dynamic]) => from ?? dynamic ?? "",
  );
}

describe("the service program", () => {
  it.each(files)("%s knows nothing of the sandbox around it: no scenario, no registry, no other service", (file) => {
    for (const target of importsOf(file)) expect(target).toMatch(/^(\.\/[a-z-]+\.ts|node:[a-z]+|prom-client)$/);
  });

  it.each(files)("%s reads no environment and no file", (file) => {
    const text = readFileSync(join(SERVICE, file), "utf8");
    expect(text).not.toMatch(/process\.(env|argv)|readFile|readdir/);
  });
});
