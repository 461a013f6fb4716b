import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contradictionsIn, WAYS } from "../evals/one-story/tell.ts";

const BUNDLES = join(import.meta.dirname, "../../evals/data/incidents");
const cases = readdirSync(BUNDLES)
  .sort()
  .flatMap((name) => WAYS.map((way) => [name, way] as const));

describe("S15, one truth, of every bundle in every way in which people answer", () => {
  it.each(cases)("%s, %s", { timeout: 300_000 }, async (name, answers) => {
    const { found } = await contradictionsIn(join(BUNDLES, name), answers);
    expect(found).toEqual([]);
  });
});
