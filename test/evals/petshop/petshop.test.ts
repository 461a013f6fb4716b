import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { benchPetshop, petshopLines } from "../../../evals/petshop/bench.ts";
import { readNormal, readPetshopCases, readPetshopGraph } from "../../../evals/petshop/petshop-data.ts";
import { writePetshopBundle } from "../../../evals/petshop/to-bundle.ts";
import { readBundle, readTruth } from "../../../evals/replay/bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "petshop-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a PetShop case as a bundle", () => {
  const [first] = readPetshopCases();
  if (first === undefined) throw new Error("there is no case");
  writePetshopBundle(folder, first, readNormal(), readPetshopGraph());
  const bundle = readBundle(folder);
  const series = (metric: string) => bundle.series.find((one) => one.service === "PetSite" && one.metric === metric);

  it("has the normal part end one step before the abnormal one", () => {
    const latency = series("average_latency");
    expect(latency?.values.length).toBe(590 - 1 + 5);
    expect((latency?.startAt ?? 0) + 589 * 300_000).toBe(bundle.incident.watch.start);
    expect((latency?.startAt ?? 0) + 593 * 300_000).toBe(bundle.incident.watch.end);
  });

  it("has our units: ms, requests a second, failed share", () => {
    const median = (values: readonly (number | null)[] = []) =>
      values.filter((value) => value !== null).sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    expect(median(series("average_latency")?.values)).toBeCloseTo(94.5, 0);
    expect(median(series("request_rate")?.values)).toBeCloseTo(483 / 300, 1);
    expect(median(series("error_rate")?.values)).toBe(0);
  });

  it("tells nothing of the truth", () => {
    expect(readTruth(folder)).toBeNull();
    expect(bundle.changes).toEqual([]);
  });
});

describe("the benchmark", () => {
  it("names the component with the fault first in six of eight cases, among three in seven", async () => {
    const result = await benchPetshop();
    expect(result).toMatchObject({ met: true });
    expect(result.cases).toHaveLength(8);
    expect(petshopLines(result).at(-1)).toContain(`first in ${result.first} of 8`);
  }, 120_000);
});
