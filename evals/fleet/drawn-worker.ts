import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { readBundle } from "../replay/bundle.ts";
import { stepOf } from "../replay/seed-config.ts";
import { writeBundle } from "../scenarios/write.ts";
import { type DrawnCase, drawnCase } from "./drawn-case.ts";
import { outcomeOf } from "./drawn-outcome.ts";
import { replayUnbound } from "./replay-composition.ts";

/** One core's share: draws a case, replays it, and says what came of it. */
parentPort?.on("message", async (task: DrawnCase) => {
  const drawn = drawnCase(task);
  const directory = mkdtempSync(join(tmpdir(), "unship-drawn-"));
  try {
    writeBundle(directory, drawn.files);
    const bundle = readBundle(directory);
    const { episodes, pagedAt } = await replayUnbound(bundle, stepOf(bundle), new AbortController().signal);
    parentPort?.postMessage(outcomeOf(task, drawn, episodes, pagedAt));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
