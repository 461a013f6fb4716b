import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchChangeRca, changeRcaLines } from "../../../evals/changerca/bench.ts";
import { readChangeRca } from "../../../evals/changerca/changerca-data.ts";
import { writeChangeRcaBundle } from "../../../evals/changerca/to-bundle.ts";
import { readBundle, readTruth } from "../../../evals/replay/bundle.ts";

/** A folder as the data set's, with made-up samples: a shop whose adverts fail for every new pod. */
const folder = mkdtempSync(join(tmpdir(), "changerca-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const START = Date.parse("2023-09-22T15:39:00Z") / 1000;
const MINUTES = 38;

beforeAll(() => {
  const home = join(folder, "2023-09-22", "2023-09-22_1");
  mkdirSync(home, { recursive: true });
  const at = (minute: number) => START + 60 * minute;
  const failing = (minute: number) => minute >= 19;
  const pod = (name: string, from: number, success: (minute: number) => number) => {
    const rows = Array.from({ length: MINUTES - from }, (_, i) => {
      const minute = from + i;
      return `2023-09-22 15:39:00 +0000 UTC,${at(minute)},${success(minute)},${20 + (minute % 3)},44.1,6.3,17.0,0.0048`;
    });
    writeFileSync(
      join(home, name),
      `Time,Timestamp,SuccessRate,Latency,Cpu,Memory,NodeCpu,NodeMemory\n${rows.join("\n")}\n`,
    );
  };
  for (const one of ["a", "b", "c", "d"]) pod(`adservice-v1-1-${one}_frontend_adservice.csv`, 0, () => 100);
  pod("adservice-v2-2-e_frontend_adservice.csv", 19, () => 0);
  pod("cartservice-v1-1-f_frontend_cartservice.csv", 0, () => 100);
  pod("frontend-v1-1-g_frontend_adservice.csv", 0, () => 100);
  const edges = Array.from({ length: MINUTES }, (_, minute) => `now,${at(minute)},${failing(minute) ? 80 : 100},100`);
  for (const side of ["source", "destination"])
    writeFileSync(
      join(home, `${side}_success.csv`),
      `time,timestamp,frontend_adservice,frontend_cartservice\n${edges.join("\n")}\n`,
    );
  const stages = (first: number) => ({
    [String(at(first))]: { release_complete_timestamp: at(first) + 65 },
    [String(at(35))]: { release_complete_timestamp: at(36) },
  });
  writeFileSync(
    join(home, "2023-09-22_1.json"),
    JSON.stringify({
      fault: "exception",
      fault_release_service: "adservice",
      experiemnt_end_time: "2023-09-22 16:16:00",
      plan: {
        adservice: { release_time: at(18), target_replica: 5, process: stages(18) },
        cartservice: { release_time: at(16), target_replica: 3, process: stages(16) },
      },
    }),
  );
});

describe("a case of the ChangeRCA data set", () => {
  it("becomes a bundle: a minute's sample at the minute's start, rollouts with the share of their first stage", () => {
    const [one] = readChangeRca(folder);
    if (one === undefined) throw new Error("there is no case");
    const place = join(folder, "bundle");
    writeChangeRcaBundle(place, one, { name: "", versions: true, rollouts: "staged" });
    const bundle = readBundle(place);
    const errors = bundle.series.filter(({ service, metric }) => service === "adservice" && metric === "error_rate");
    expect(errors.map(({ labels }) => labels.version ?? "whole")).toEqual(["whole", "v1", "v2"]);
    // Measured at 15:58 over the minute before, known at 15:58 to whoever replays it.
    const minute = (Date.parse("2023-09-22T15:57:00Z") - (errors[0]?.startAt ?? 0)) / 60_000;
    expect(errors[0]?.values[minute - 1]).toBe(0);
    expect(errors[0]?.values[minute]).toBeCloseTo(0.2, 9);
    expect(bundle.changes.map(({ id, canary }) => [id, canary])).toEqual([
      ["deploy-cartservice", 1 / 3],
      ["deploy-adservice", 1 / 5],
    ]);
    expect(readTruth(place)).toMatchObject({ culprit: "deploy-adservice", onset: Date.parse("2023-09-22T15:57:00Z") });
  });

  it("is replayed unannounced, whatever is told of it, and scored", async () => {
    const result = await benchChangeRca(folder);
    expect(result.cases).toBe(1);
    expect(result.tellings.map(({ scores }) => scores.culpritTop1)).toEqual([1, 1, 1, 1]);
    expect(changeRcaLines(result).join("\n")).toContain("reached");
  }, 120_000);

  it("is asked for by its folder, and says what it wants", () => {
    expect(() => readChangeRca(join(folder, "nowhere"))).toThrow(/no folders by day.*ChangeRCA/);
    const broken = join(folder, "broken");
    mkdirSync(join(broken, "2023-09-22", "2023-09-22_9"), { recursive: true });
    writeFileSync(join(broken, "2023-09-22", "notes.txt"), "no case");
    writeFileSync(join(broken, "2023-09-22", "2023-09-22_9", "2023-09-22_9.json"), "{");
    expect(() => readChangeRca(broken)).toThrow(/2023-09-22_9\.json: cannot be read as JSON/);
  });
});
