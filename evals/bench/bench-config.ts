import { join } from "node:path";
import { readConfig } from "../../agent/compose/config-file.ts";
import type { Config } from "../../core/config/config.ts";
import { replayConfig } from "../../core/config/defaults.ts";

/** The example configuration as replays judge it: what the detectors of a benchmark run with. */
export function benchConfig(): Config {
  const file = join(import.meta.dirname, "../../examples/openclaw-agent-config.yaml");
  return replayConfig(readConfig(file, {}, { secrets: "unused", replay: true }));
}
