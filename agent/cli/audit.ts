import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/** `unship audit verify`: recomputes the ledger's hash chain from its first entry. Exit code 1 if it does not hold. */
export async function auditVerify(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const { config } = await to.config(options, "no-sources");
  const ledger = await to.ledger(config);
  try {
    const { ok, entries, head, problems } = await ledger.verify();
    await present(to, options.json, { ok, entries, head, problems }, [
      ...problems.map(({ seq, reason }) => `entry ${seq}: ${reason}`),
      ...(ok
        ? [
            `The chain holds: ${entries} entries.`,
            `Head: ${head}`,
            "That nothing was cut off its end shows only against a head that you kept elsewhere.",
          ]
        : [`The chain does NOT hold: ${problems.length} problems in ${entries} entries. Keep the file as it is.`]),
    ]);
    return ok ? EXIT.ok : EXIT.no;
  } finally {
    await ledger.close();
  }
}
