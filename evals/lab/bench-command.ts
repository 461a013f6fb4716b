import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { UnshipError } from "../../core/errors.ts";
import { BENCHMARKS } from "../bench/catalog.ts";

const Options = z.looseObject({
  seed: z.coerce.number().int().min(0).max(4_294_967_295).default(1),
  trials: z.coerce.number().int().min(1).max(10_000_000).optional(),
  data: z.string().min(1).optional(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/** `unship bench NAME`: measures one thing that is claimed; exit code 1 where the figure was not reached. */
export async function benchCommand(to: Composition, name: string, given: Record<string, unknown>): Promise<ExitCode> {
  const options = Options.safeParse(given);
  if (!options.success)
    throw new UnshipError("input.invalid", { what: "bench", reason: "--seed and --trials are whole numbers" });
  const { seed, trials, data, json } = options.data;
  const run = BENCHMARKS[name];
  if (run === undefined)
    throw new UnshipError("input.invalid", {
      what: "bench",
      reason: `no benchmark ${name}: there are ${Object.keys(BENCHMARKS).join(", ")}`,
    });
  const { lines, value, met } = await run({ seed, trials, data });
  if (json === true) to.terminal.out(`${JSON.stringify(value, null, 1)}\n`);
  else {
    if (typeof json === "string") await to.writeFile(json, `${JSON.stringify(value, null, 1)}\n`);
    to.terminal.out(`${lines.join("\n")}\n`);
  }
  return met ? EXIT.ok : EXIT.no;
}
