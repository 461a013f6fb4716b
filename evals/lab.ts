import type { Lab } from "../agent/cli/program.ts";
import type { CommandParts } from "../agent/compose/commands.ts";
import { UnshipError } from "../core/errors.ts";
import { placesOf, toEpisode } from "./replay/episode.ts";

/** What the command line offers beside the product: each part imported when its command runs. */
export function openLab(): Lab & Pick<CommandParts, "openBundle"> {
  return {
    demo: async (to, options, abort) => (await import("./lab/demo-command.ts")).demoCommand(to, options, abort),
    sandbox: async (to, options, abort) =>
      (await import("./lab/sandbox-command.ts")).sandboxCommand(to, options, abort),
    replay: async (to, paths, options, abort) =>
      (await import("./lab/replay-command.ts")).replayCommand(to, paths, options, abort),
    bench: async (to, name, options) =>
      (await import("./lab/bench-command.ts").catch(notInPackage)).benchCommand(to, name, options),
    detect: async (to, files, options, abort) =>
      (await import("./lab/detect-command.ts")).detectCommand(to, files, options, abort),
    record: async (to, options, abort) => (await import("./lab/record-command.ts")).recordCommand(to, options, abort),
    backtest: async (to, options, abort) =>
      (await import("./lab/backtest-command.ts")).backtestCommand(to, options, abort),
    toEpisode: (incident, caseFile) => toEpisode(incident, placesOf(caseFile)),
    openBundle: async (directory, at, config, warn) =>
      (await import("./replay/open-bundle.ts")).openBundle(directory, at, config, warn),
  };
}

/** Generators and recorded data stay in the repository: the published package holds none of them. */
function notInPackage(error: unknown): never {
  const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  if (!isMissing) throw error;
  throw new UnshipError(
    "component.missing",
    {
      component: "what benchmarks measure with (generators, recorded incidents)",
      package: "from a checkout of the repository, where `npm run -s unship -- bench` has it",
    },
    { cause: error },
  );
}
