import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { Config } from "../../../core/config/config.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { testConfig } from "./config.ts";
import { createWorld, START, type WorldOptions } from "./world.ts";

/** The case file of a world at so many seconds after its watch starts. */
export async function caseAt(options: WorldOptions, seconds: number, config: Config = testConfig()): Promise<CaseFile> {
  const world = createWorld(options);
  world.now = START + seconds * 1000;
  const watch = { stepMs: world.stepMs };
  return createAssessor({ sources: world.sources, config: { ...config, watch } }).gather(
    world.now,
    new AbortController().signal,
  );
}
