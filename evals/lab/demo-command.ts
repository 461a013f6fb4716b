import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { runDemo } from "../demo/demo.ts";

const Options = z.looseObject({
  scenario: z.string(),
  realTime: z.boolean().default(false),
  prometheus: z.boolean().default(false),
  keep: z.string().optional(),
  realKubernetes: z.string().optional(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/** `unship demo`: exit code 0 only if what should have happened did, by the sandbox's own record. */
export async function demoCommand(
  to: Composition,
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { scenario, realTime, prometheus, keep, realKubernetes, json } = Options.parse(given);
  const quiet = json === true;
  const { result, judged } = await runDemo(
    {
      scenario,
      realTime,
      prometheus,
      colour: to.terminal.isTty,
      columns: to.terminal.columns,
      ...(realKubernetes === undefined ? {} : { realKubernetes }),
      ...(keep === undefined ? {} : { directory: keep }),
    },
    (line) => (quiet ? to.terminal.err(`${line}\n`) : to.terminal.out(`${line}\n`)),
    abort,
  );
  if (quiet) to.terminal.out(`${JSON.stringify(result)}\n`);
  if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(result)}\n`);
  return judged.ok ? EXIT.ok : EXIT.no;
}
