import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { investigateOnce } from "../../agent/compose/investigate.ts";
import { toEpisode } from "../replay/episode.ts";
import { openBundle } from "../replay/open-bundle.ts";
import { type PetshopCase, readNormal, readPetshopCases, readPetshopGraph } from "./petshop-data.ts";
import { symptomMetric, writePetshopBundle } from "./to-bundle.ts";

/** Of the eight cases, the root cause is to be first in so many and among the first three in so many. */
const CLAIM = { first: 6, three: 7 } as const;

export interface PetshopResult {
  readonly cases: readonly {
    readonly name: string;
    readonly symptom: string;
    readonly rootCause: string;
    /** Place of the true root cause among all services, 1 first; null: not ranked. */
    readonly place: number | null;
    readonly named: string | null;
    readonly score: number | null;
  }[];
  readonly first: number;
  readonly three: number;
  readonly met: boolean;
}

/**
 * PetShop's eight low-traffic cases, each written as an incident bundle into a folder of its own and investigated from
 * the symptom that the data set gives (service and metric), as `unship investigate --bundle` does. Root cause: the
 * component into which the fault was injected. No model is asked. Deterministic: nothing is drawn.
 */
export async function benchPetshop(): Promise<PetshopResult> {
  const folder = mkdtempSync(join(tmpdir(), "unship-petshop-"));
  try {
    const normal = readNormal();
    const graph = readPetshopGraph();
    const cases: PetshopResult["cases"][number][] = [];
    for (const one of readPetshopCases()) {
      const directory = join(folder, one.name);
      writePetshopBundle(directory, one, normal, graph);
      cases.push(await placeOf(one, directory, new Set(graph.nodes)));
    }
    const within = (n: number) => cases.filter(({ place }) => place !== null && place <= n).length;
    const [first, three] = [within(1), within(3)];
    return { cases, first, three, met: first >= CLAIM.first && three >= CLAIM.three };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function placeOf({ name, symptom, rootCause }: PetshopCase, directory: string, nodes: ReadonlySet<string>) {
  const bundle = await openBundle(directory, undefined);
  const ask = { service: symptom.node, metric: symptomMetric(symptom.metric) };
  const { incident } = await investigateOnce(
    { version: "bench", ask, ...bundle, observe: async () => undefined },
    new AbortController().signal,
  );
  const { root_causes: roots } = toEpisode(incident, nodes);
  const index = roots.findIndex(({ service }) => service === rootCause);
  return {
    name,
    symptom: `${ask.metric} of ${ask.service}`,
    rootCause,
    place: index < 0 ? null : index + 1,
    named: roots[0]?.service ?? null,
    score: roots[index]?.score ?? null,
  };
}

/** The result as lines to read. */
export function petshopLines({ cases, first, three, met }: PetshopResult): readonly string[] {
  return [
    "PetShop, low traffic (Hardt et al. 2024): where does the degradation start? The symptom is given, the root cause sought.",
    ...cases.map(
      ({ name, symptom, rootCause, place, named, score }) =>
        `  ${name}  ${symptom}: ${rootCause} is ${place === null ? "not ranked" : `number ${place}`}${score === null ? "" : ` (${score.toFixed(2)})`}${place === 1 ? "" : `, after ${named ?? "nothing"}`}`,
    ),
    `first in ${first} of ${cases.length} (claimed: ${CLAIM.first}), among the first three in ${three} (claimed: ${CLAIM.three})${met ? "" : ": NOT reached"}`,
  ];
}
