import { existsSync, writeFileSync } from "node:fs";
import type { ConfigProblem } from "../../core/config/config.ts";
import { loadConfig } from "../../core/config/load.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Composition } from "../cli/composition.ts";
import type { Environment } from "./secrets.ts";

/** What commands do with files that people named. */
export function writtenFiles(
  environment: Environment,
): Pick<Composition, "loads" | "isThere" | "writeNew" | "writeFile"> {
  return {
    loads: async (text): Promise<readonly ConfigProblem[]> => {
      const loaded = loadConfig(text, "unship.yaml", environment);
      return loaded.ok ? [] : loaded.problems;
    },
    isThere: async (path) => existsSync(path),
    writeNew: async (path, text, { replace }) => write(path, text, replace ? "w" : "wx"),
    writeFile: async (path, text) => write(path, text, "w"),
  };
}

function write(path: string, text: string, flag: "w" | "wx"): void {
  try {
    writeFileSync(path, text, { flag });
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const reason = isTaken
      ? "it is there already; --force replaces it, --out FILE writes elsewhere"
      : "it cannot be written there";
    throw new UnshipError("input.invalid", { what: path, reason }, { cause });
  }
}
