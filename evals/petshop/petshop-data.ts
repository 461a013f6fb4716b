import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

const FOLDER = join(import.meta.dirname, "../data/petshop");

/** One table of the data set: samples by node, metric and statistic, in the data set's own units; NaN where nothing ran. */
export interface PetshopTable {
  /** Unix seconds; a sample covers the five minutes that end then. */
  readonly times: readonly number[];
  readonly columns: ReadonlyMap<string, readonly number[]>;
}

/** The component into which the fault was injected is the truth; the symptom is what a method is told. */
export interface PetshopCase {
  readonly name: string;
  readonly abnormal: PetshopTable;
  readonly rootCause: string;
  readonly symptom: { readonly node: string; readonly metric: string };
}

const Graph = z.object({ nodes: z.array(z.string()), edges: z.array(z.tuple([z.string(), z.string()])) });
export type PetshopGraph = z.infer<typeof Graph>;

const Truth = z.object({
  symptom: z.object({ node: z.string(), metric: z.enum(["latency", "availability"]) }),
  root_cause: z.object({ node: z.string() }),
});

/** Who calls whom in the data set: [caller, callee]. */
export const readPetshopGraph = (): PetshopGraph =>
  Graph.parse(JSON.parse(readFileSync(join(FOLDER, "graph.json"), "utf8")));

/** Two days of ordinary operation. */
export const readNormal = (): PetshopTable => readTable(join(FOLDER, "normal.csv.gz"));

/** The eight low-traffic cases, sorted by name. */
export function readPetshopCases(): readonly PetshopCase[] {
  const folder = join(FOLDER, "cases");
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const truth = Truth.parse(JSON.parse(readFileSync(join(folder, name, "truth.json"), "utf8")));
      const abnormal = readTable(join(folder, name, "abnormal.csv.gz"));
      return { name, abnormal, rootCause: truth.root_cause.node, symptom: truth.symptom };
    });
}

function readTable(file: string): PetshopTable {
  const [head = "", ...rows] = gunzipSync(readFileSync(file)).toString("utf8").trim().split(/\r?\n/);
  const names = head.split(",");
  const cells = rows.map((row) => row.split(","));
  const number = (cell: string | undefined): number => (cell === undefined || cell === "" ? Number.NaN : Number(cell));
  return {
    times: cells.map(([time]) => number(time)),
    columns: new Map(names.slice(1).map((name, i) => [name, cells.map((row) => number(row[i + 1]))])),
  };
}
