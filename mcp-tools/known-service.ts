import type { Config } from "../core/config/config.ts";
import { UnshipError } from "../core/errors.ts";
import type { CaseFile } from "../core/model/assessment.ts";
import { name } from "../core/model/untrusted-text.ts";
import type { ToolContext } from "./context.ts";
import { onceFor } from "./once-for.ts";

/** So many names are a help; more are a list, which list_services gives in pages. */
const SUGGESTED = 50;

/** Every service that the configuration or the evidence names, in order. */
export const servicesOf = (file: CaseFile, config: Config): readonly string[] =>
  onceFor([file, config], "services", null, () =>
    [
      ...new Set([
        ...Object.keys(config.services),
        ...file.series.map(({ service }) => service),
        ...(file.topology?.edges ?? []).flat(),
        ...(file.topology?.external ?? []),
        ...file.changes.map(({ service }) => service),
        ...file.findings.map(({ service }) => service),
      ]),
    ].sort(),
  );

/**
 * Refuses a service that nobody has heard of, with the names that there are: "no findings, no changes" about a name
 * that was misspelt would read as health (S9). Throws "service.unknown".
 */
export function refuseUnknownService(service: string | undefined, known: readonly string[]): void {
  if (service === undefined || known.includes(service)) return;
  const some = [...new Set(known)].slice(0, SUGGESTED).map((one) => name(one));
  throw new UnshipError("service.unknown", { service: name(service), known: some.join(", ") || "none" });
}

/**
 * The same for an answer of sources that holds nothing: whether it is empty because nobody knows that service. Where
 * the evidence cannot be had, nothing is said of it. `also`: services that the sources named in that answer.
 */
export async function refuseEmptyOfUnknown(
  service: string | undefined,
  { caseFile, config }: Pick<ToolContext, "caseFile" | "config">,
  also: readonly string[] = [],
): Promise<void> {
  if (service === undefined) return;
  const file = await caseFile().catch(() => null);
  if (file !== null) refuseUnknownService(service, [...new Set([...servicesOf(file, config), ...also])].sort());
}
