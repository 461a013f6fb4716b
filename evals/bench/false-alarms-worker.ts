import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { benchConfig } from "./bench-config.ts";
import { type NullOutcome, nullChange } from "./false-alarms.ts";

const Share = z.object({ seed: z.number(), from: z.number(), to: z.number() });

/** Runs its share of the trials on a thread of its own. */
const { seed, from, to } = Share.parse(workerData);
const config = benchConfig();
const outcomes: NullOutcome[] = [];
for (let trial = from; trial < to; trial++) outcomes.push(nullChange(config, seed, trial));
parentPort?.postMessage(outcomes);
