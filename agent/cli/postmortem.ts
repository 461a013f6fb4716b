import { UnshipError } from "../../core/errors.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/** `unship postmortem INCIDENT`: the draft, on demand, from what the ledger holds. */
export async function postmortem(
  to: Composition,
  id: string,
  options: {
    readonly config?: string;
    readonly json?: JsonOption;
    readonly format: "md" | "html";
    readonly output?: string;
  },
): Promise<ExitCode> {
  const { config } = await to.config(options, "no-sources");
  const ledger = await to.ledger(config);
  try {
    const incident = await ledger.incident(id);
    if (incident === null) throw new UnshipError("incident.unknown", { incident: id });
    const text = await to.postmortem(config, incident, options.format);
    if (options.output !== undefined) await to.writeFile(options.output, text);
    const words = options.output === undefined ? [] : [`Written: ${options.output}`];
    await present(to, options.json, { incident: id, format: options.format, text }, words);
    // A document goes out as it is: no line of it is broken to a terminal's width.
    if (options.output === undefined && options.json !== true) to.terminal.out(`${text.trimEnd()}\n`);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}
