import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";

/**
 * The OnlineBoutique part of the ChangeRCA data set: 51 staged rollouts of one to six services at once on a real cluster,
 * one of them defective. The data set states no licence, so that no copy of it stands here: whoever clones
 * https://github.com/IntelligentDDS/ChangeRCA hands over its `data` folder.
 * @see Yu et al. (2024), "ChangeRCA: Finding Root Causes from Software Changes in Large Online Systems", FSE
 */
export interface ChangeRcaCase {
  readonly name: string;
  readonly kind: string;
  readonly culprit: string;
  readonly rollouts: readonly StagedRollout[];
  /** When the last stage was done and the experiment ended, Unix seconds. */
  readonly endedAt: number;
  /** Samples of each pod, by what it served and for whom. */
  readonly pods: readonly PodSamples[];
  /** Share of successful calls by edge, as the called side and as the calling side counted them. */
  readonly called: readonly EdgeSamples[];
  readonly calling: readonly EdgeSamples[];
}

/** One service's rollout, pod by pod. Unix seconds. */
export interface StagedRollout {
  readonly service: string;
  readonly replicas: number;
  readonly startedAt: number;
  /** When each stage was done, ascending. */
  readonly stagesDoneAt: readonly number[];
}

export interface PodSamples {
  readonly service: string;
  readonly version: string;
  readonly caller: string;
  readonly callee: string;
  /** `at`: Unix seconds at the end of the minute measured. Percent; ms; share of the limit (0 to 1); cores. Null: not measured. */
  readonly samples: readonly {
    readonly at: number;
    readonly success: number | null;
    readonly latency: number | null;
    readonly memory: number | null;
    readonly cpu: number | null;
  }[];
}

export interface EdgeSamples {
  readonly caller: string;
  readonly callee: string;
  /** Percent of successful calls in the minute that ends `at` (Unix seconds). */
  readonly samples: readonly { readonly at: number; readonly success: number }[];
}

const CaseFile = z.looseObject({
  fault: z.string(),
  fault_release_service: z.string(),
  experiemnt_end_time: z.string(), // spelt so in the data set
  plan: z.record(
    z.string(),
    z.looseObject({
      release_time: z.number(),
      target_replica: z.number().int().positive(),
      process: z.record(z.string(), z.looseObject({ release_complete_timestamp: z.number() })),
    }),
  ),
});

/** Reads every case below a `data` folder, by name. Throws `input.invalid` where the folder is not that data set. */
export function readChangeRca(folder: string): readonly ChangeRcaCase[] {
  const days = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name)) : [];
  if (days.length === 0)
    throw new UnshipError("input.invalid", {
      what: "--data",
      reason: `${folder} has no folders by day: give the data folder of a clone of https://github.com/IntelligentDDS/ChangeRCA`,
    });
  const folders = (place: string) =>
    readdirSync(place, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
  return days
    .flatMap((day) => folders(join(folder, day)).map((name) => readCase(join(folder, day, name), name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readCase(folder: string, name: string): ChangeRcaCase {
  const file = join(folder, `${name}.json`);
  const parsed = CaseFile.safeParse(readJson(file));
  if (!parsed.success) throw new UnshipError("input.invalid", { what: file, reason: z.prettifyError(parsed.error) });
  const { plan, fault, fault_release_service: culprit, experiemnt_end_time: ended } = parsed.data;
  return {
    name,
    kind: fault,
    culprit,
    rollouts: Object.entries(plan).map(([service, { release_time, target_replica, process }]) => ({
      service,
      replicas: target_replica,
      startedAt: release_time,
      stagesDoneAt: Object.values(process)
        .map(({ release_complete_timestamp }) => release_complete_timestamp)
        .sort((a, b) => a - b),
    })),
    endedAt: Date.parse(`${ended.replace(" ", "T")}Z`) / 1000,
    pods: readdirSync(folder).flatMap((one) => readPod(folder, one)),
    called: readEdges(join(folder, "destination_success.csv")),
    calling: readEdges(join(folder, "source_success.csv")),
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new UnshipError(
      "input.invalid",
      { what: file, reason: "cannot be read as JSON; clone the data set anew" },
      { cause },
    );
  }
}

const POD = /^(?<service>[a-z]+)-(?<version>v\d+)-[^_]+_(?<caller>[a-z]+)_(?<callee>[a-z]+)\.csv$/;

/** The columns after the latency hold, whatever their heads say, memory (%), the node's CPU and memory (%), and the CPU in cores. */
function readPod(folder: string, name: string): readonly PodSamples[] {
  const { service, version, caller, callee } = POD.exec(name)?.groups ?? {};
  if (service === undefined || version === undefined || caller === undefined || callee === undefined) return [];
  const samples = rows(join(folder, name)).map(([, at, success, latency, memory, , , cpu]) => ({
    at: Number(at),
    success: number(success),
    latency: number(latency),
    memory: part(number(memory)),
    cpu: number(cpu),
  }));
  return [{ service, version, caller, callee, samples }];
}

function readEdges(file: string): readonly EdgeSamples[] {
  const [head = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const cells = lines.map((line) => line.split(","));
  return head
    .split(",")
    .slice(2)
    .map((edge, i) => {
      const [caller = "", callee = ""] = edge.split("_");
      const samples = cells.flatMap((row) => {
        const success = number(row[i + 2]);
        return success === null ? [] : [{ at: Number(row[1]), success }];
      });
      return { caller, callee, samples };
    });
}

const rows = (file: string): string[][] =>
  readFileSync(file, "utf8")
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(","));

const number = (cell: string | undefined): number | null =>
  cell === undefined || cell === "" || Number.isNaN(Number(cell)) ? null : Number(cell);
const part = (percent: number | null): number | null => (percent === null ? null : percent / 100);
