import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contradictionsIn, WAYS } from "./tell.ts";

const BUNDLES = join(import.meta.dirname, "../../../evals/data/incidents");
const familyOf = (name: string): string => JSON.parse(readFileSync(join(BUNDLES, name, "truth.json"), "utf8")).family;

// One bundle of each family, in one of the three ways in turn; `npm run test:long` takes all of them in all ways.
const names = readdirSync(BUNDLES).sort();
const cases = names
  .filter((name, index) => names.findIndex((one) => familyOf(one) === familyOf(name)) === index)
  .map((name, index) => [name, WAYS[index % WAYS.length] ?? "approve"] as const);

describe("S15, one truth: every surface says the same of an incident at one moment", () => {
  it.each(cases)("%s, %s", { timeout: 120_000 }, async (name, answers) => {
    const { found } = await contradictionsIn(join(BUNDLES, name), answers);
    expect(found).toEqual([]);
  });
});
