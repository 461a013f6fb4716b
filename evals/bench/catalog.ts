import { UnshipError } from "../../core/errors.ts";

/** How a benchmark is asked to run. */
export interface BenchRequest {
  readonly seed: number;
  /** Trials, where the benchmark counts them; undefined: as many as its claim needs. */
  readonly trials: number | undefined;
  /** A folder with data that the benchmark needs and that is not kept here; undefined: none was given. */
  readonly data: string | undefined;
}

/** What came of it: lines to read, the same as data, and whether the figure that is claimed was reached. */
export interface BenchOutcome {
  readonly lines: readonly string[];
  readonly value: unknown;
  readonly met: boolean;
}

/** The benchmarks by name, each loaded when it runs. */
export const BENCHMARKS: Readonly<Record<string, (request: BenchRequest) => Promise<BenchOutcome>>> = {
  "false-alarms": async ({ seed, trials }) => {
    const { falseAlarmLines, measureFalseAlarms } = await import("./false-alarms-report.ts");
    const value = await measureFalseAlarms(trials ?? 20_000, seed, 2);
    return { lines: falseAlarmLines(value), value, met: value.met };
  },
  "detection-delay": async ({ seed, trials }) => {
    const { delayLines, measureDelays } = await import("./detection-delay.ts");
    const { measureVersionDelays, versionLines } = await import("./version-delay.ts");
    const { benchConfig } = await import("./bench-config.ts");
    const value = measureDelays(trials ?? 200, seed);
    const versions = measureVersionDelays(benchConfig(), Math.ceil((trials ?? 200) / 20), seed);
    const lines = [...delayLines(value), "", ...versionLines(versions)];
    return { lines, value: { ...value, versions }, met: value.met };
  },
  tick: async ({ seed }) => {
    const { measureTick, tickLines } = await import("./tick.ts");
    const value = await measureTick(seed);
    return { lines: tickLines(value), value, met: value.met };
  },
  sources: async ({ seed, trials }) => {
    const { benchSources } = await import("./sources.ts");
    return await benchSources(seed, trials);
  },
  replay: async ({ seed, trials }) => {
    const { measureReplay, replayLines } = await import("./replay.ts");
    const value = await measureReplay(seed, trials);
    return { lines: replayLines(value), value, met: value.met };
  },
  decisions: async ({ seed, trials }) => {
    const { benchDecisions } = await import("./decisions.ts");
    return await benchDecisions(trials, seed, "shown");
  },
  "decisions-held-out": async ({ seed, trials }) => {
    const { benchDecisions } = await import("./decisions.ts");
    return await benchDecisions(trials, seed, "held-out");
  },
  "decisions-held-out-b": async ({ seed, trials }) => {
    const { benchDecisions } = await import("./decisions.ts");
    return await benchDecisions(trials, seed, "held-out-b");
  },
  "decisions-independent-first": async ({ seed, trials }) => {
    const { benchIndependent } = await import("./independent.ts");
    return await benchIndependent("first", trials, seed);
  },
  "decisions-independent-second": async ({ seed, trials }) => {
    const { benchIndependent } = await import("./independent.ts");
    return await benchIndependent("second", trials, seed);
  },
  fleet: async (request) => {
    const { benchFleet } = await import("./fleet.ts");
    return await benchFleet(request);
  },
  "fleet-calm": async (request) => {
    const { benchCalm } = await import("./fleet-calm.ts");
    return await benchCalm(request);
  },
  "fleet-unrelated": async (request) => {
    const { benchUnrelated } = await import("./fleet-unrelated.ts");
    return await benchUnrelated(request);
  },
  mcp: async ({ trials }) => {
    const { benchMcp } = await import("./mcp.ts");
    return await benchMcp(trials);
  },
  gate: async ({ trials }) => {
    const { benchGate } = await import("./gate.ts");
    return benchGate(trials);
  },
  nab: async () => {
    const { benchNab } = await import("../nab/bench.ts");
    return benchNab();
  },
  petshop: async () => {
    const { benchPetshop, petshopLines } = await import("../petshop/bench.ts");
    const value = await benchPetshop();
    return { lines: petshopLines(value), value, met: value.met };
  },
  changerca: async ({ data }) => {
    const { benchChangeRca, changeRcaLines } = await import("../changerca/bench.ts");
    if (data === undefined)
      throw new UnshipError("input.invalid", {
        what: "bench changerca",
        reason: "--data names the data folder of a clone of https://github.com/IntelligentDDS/ChangeRCA",
      });
    const value = await benchChangeRca(data);
    return { lines: changeRcaLines(value), value, met: value.met };
  },
};
