import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { parseDuration } from "../../core/config/durations.ts";
import { UnshipError } from "../../core/errors.ts";
import { type RunSandboxOptions, runSandbox } from "../sandbox/main.ts";

const Options = z.looseObject({
  scenario: z.string().optional(),
  directory: z.string().optional(),
  breakAfter: z.string().optional(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/**
 * `unship sandbox`: the small live system alone, until it is interrupted. Throws "input.invalid" where --break-after is neither a
 * duration nor "enter", has nothing to break, or says "enter" where no terminal is to press it at.
 */
export async function sandboxCommand(
  to: Composition,
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { scenario, directory, json, breakAfter } = Options.parse(given);
  await runSandbox(
    {
      ...(scenario === undefined ? {} : { scenario }),
      ...(directory === undefined ? {} : { directory }),
      ...breaks(to, scenario, breakAfter),
      json: json !== undefined && json !== false,
    },
    (line) => to.terminal.out(`${line}\n`),
    abort,
  );
  return EXIT.ok;
}

/** When it is broken: so long after it is steady, or when a person presses Enter. */
function breaks(
  { terminal }: Composition,
  scenario: string | undefined,
  breakAfter: string | undefined,
): Pick<RunSandboxOptions, "warmUpMs" | "ask"> {
  if (breakAfter === undefined) return {};
  const wrong = (reason: string) => new UnshipError("input.invalid", { what: "--break-after", reason });
  if (scenario === undefined) throw wrong("nothing is broken without a scenario; name one with --scenario");
  if (breakAfter === "enter") {
    const { ask } = terminal;
    if (ask === null || ask === undefined) throw wrong("there is no terminal to press Enter at; write a duration");
    return { ask };
  }
  const warmUpMs = parseDuration(breakAfter);
  if (warmUpMs === null) throw wrong(`"${breakAfter}" is no duration, such as 90s or 3m, nor "enter"`);
  return { warmUpMs };
}
