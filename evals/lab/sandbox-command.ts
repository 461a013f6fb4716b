import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { runSandbox } from "../sandbox/main.ts";

const Options = z.looseObject({
  scenario: z.string().optional(),
  directory: z.string().optional(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/** `unship sandbox`: the small live system alone, until it is interrupted. */
export async function sandboxCommand(
  to: Composition,
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { scenario, directory, json } = Options.parse(given);
  await runSandbox(
    {
      ...(scenario === undefined ? {} : { scenario }),
      ...(directory === undefined ? {} : { directory }),
      json: json !== undefined && json !== false,
    },
    (line) => to.terminal.out(`${line}\n`),
    abort,
  );
  return EXIT.ok;
}
