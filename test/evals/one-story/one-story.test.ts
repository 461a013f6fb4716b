import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contradictionsIn, WAYS } from "./tell.ts";

const BUNDLES = join(import.meta.dirname, "../../../evals/data/incidents");

// Each bundle in one of the three ways, in turn: so all are seen in little more than a minute. `tell.ts` takes any in all.
const cases = readdirSync(BUNDLES)
  .sort()
  .map((name, index) => [name, WAYS[index % WAYS.length] ?? "approve"] as const);

describe("S15, one truth: every surface says the same of an incident at one moment", () => {
  it.each(cases)("%s, %s", { timeout: 120_000 }, async (name, answers) => {
    const { found } = await contradictionsIn(join(BUNDLES, name), answers);
    expect(found).toEqual([]);
  });
});
