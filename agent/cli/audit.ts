import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { type Composition, EXIT, type ExitCode, type RecordedApprovals, type VouchedHead } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

interface VerifyOptions {
  readonly config?: string;
  readonly json?: JsonOption;
  /** Signed heads, or files with such in them. */
  readonly head?: readonly string[];
  readonly publicKey?: string;
  readonly export?: string;
}

interface Verified {
  readonly ok: boolean;
  readonly entries: number;
  readonly head: string;
  readonly problems: readonly { readonly seq: number; readonly reason: string }[];
}

/**
 * `unship audit verify`: recomputes the hash chain from its first entry, of the ledger or of an export, and holds it
 * against signed heads that were kept elsewhere. Exit code 1 if it does not hold.
 */
export async function auditVerify(to: Composition, options: VerifyOptions): Promise<ExitCode> {
  const audit = await to.audit();
  if (options.export !== undefined) {
    const given = options.head === undefined ? [] : audit.heads(options.head, options.publicKey, null);
    const { proven, unchecked, approvals, ...verified } = await audit.verifyExport(
      options.export,
      given,
      options.publicKey,
    );
    const code = await report(to, options.json, verified, proven, approvals);
    if (unchecked) to.terminal.err("It carries a signed head, which was not checked: name the key (--public-key).\n");
    return code;
  }
  const { config } = await to.config(options, "no-sources");
  const heads = options.head === undefined ? [] : audit.heads(options.head, options.publicKey, config);
  const ledger = await to.ledger(config);
  try {
    const found = await ledger.verify(heads);
    // Entries that do not hold prove nothing, and may not even be readable.
    const given = found.ok ? await ledger.entries({ kinds: [LEDGER_KINDS.approvalGiven] }) : [];
    const { problems, ...approvals } = audit.approvals(given, options.publicKey, config);
    const all = { ...found, ok: found.ok && problems.length === 0, problems: [...found.problems, ...problems] };
    return await report(to, options.json, all, heads, approvals);
  } finally {
    await ledger.close();
  }
}

async function report(
  to: Composition,
  json: JsonOption,
  { ok, entries, head, problems }: Verified,
  heads: readonly VouchedHead[],
  approvals: RecordedApprovals,
): Promise<ExitCode> {
  const newest = heads.toSorted((a, b) => a.seq - b.seq).at(-1);
  const proven = ok && newest !== undefined ? { entry: newest.seq, at: newest.at, keyId: newest.keyId } : null;
  await present(to, json, { ok, entries, head, proven, problems, approvals }, [
    ...problems.map(({ seq, reason }) => `entry ${seq}: ${reason}`),
    ...(ok && entries === 0
      ? EMPTY
      : ok
        ? [
            `The chain holds: ${entries} entries.`,
            `Head: ${head}`,
            ...provenLines(entries, newest),
            ...approvalLines(approvals),
          ]
        : [
            `The chain does NOT hold: ${problems.length} ${problems.length === 1 ? "problem" : "problems"} in ${entries} entries. Keep the file as it is.`,
          ]),
  ]);
  return ok && entries > 0 ? EXIT.ok : EXIT.no;
}

/** An empty ledger holds whatever was in it before: only a head that was kept elsewhere tells. */
const EMPTY = [
  "The ledger is empty: nothing was recorded in it yet, or all that was is gone, which shows only against a signed head that was kept elsewhere (--head).",
];

/** By whom, and with what: whose key it is says `approvers` in the file of that time. */
const approvalLines = ({ proven, unproven }: RecordedApprovals): readonly string[] => [
  ...proven.map(({ by, with: key, entries }) => `Approved by ${by}, proven with ${key}: ${inEntries(entries)}.`),
  ...(unproven.length === 0
    ? []
    : [
        `Not proven, or not without the public key of the ledger: ${unproven.map(({ seq, by }) => `${by} (entry ${seq})`).join(", ")}.`,
      ]),
];

const inEntries = (entries: readonly number[]): string =>
  `${entries.length === 1 ? "entry" : "entries"} ${entries.join(", ")}`;

/** What the signed head proves, and what nothing does. */
function provenLines(entries: number, newest: VouchedHead | undefined): readonly string[] {
  if (newest === undefined) {
    return [
      "The tail cannot be proven: that nothing was cut off its end, and that it was not written anew as a whole, shows only against a signed head that was kept elsewhere (--head).",
    ];
  }
  const signed = `signed ${rfc3339(newest.at)} with key ${newest.keyId}`;
  const after = entries - newest.seq;
  if (after === 0) return [`Complete: it ends at entry ${newest.seq}, as ${signed}.`];
  return [
    `Proven up to entry ${newest.seq}, ${signed}.`,
    `The ${after} after it fit the chain; that none was cut off after them shows only against a newer signed head.`,
  ];
}

/** `unship audit sign`: vouches for a ledger that was written without the configured key, where all of it holds. */
export async function auditSign(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const { config } = await to.config(options, "no-sources");
  const { seq, hash } = await to.signEnd(config);
  await present(to, options.json, { entry: seq, head: hash }, [
    `The end of the ledger, entry ${seq}, is signed with the configured key.`,
  ]);
  return EXIT.ok;
}

/** `unship audit export`: the whole ledger as JSON Lines, for an auditor who has neither the ledger nor its key. */
export async function auditExport(
  to: Composition,
  options: { readonly config?: string; readonly output?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const { config } = await to.config(options, "no-sources");
  const audit = await to.audit();
  const ledger = await to.ledger(config);
  const { output } = options;
  try {
    const lines = audit.lines(config, ledger);
    if (output === undefined) {
      for await (const line of lines) to.terminal.out(`${line}\n`);
      return EXIT.ok;
    }
    const written = await to.writeLines(output, lines);
    const signed = config.ledger.signingKey !== null;
    await present(to, options.json, { file: output, entries: written - 1, signed }, [
      `${written - 1} entries in ${output}.`,
      signed
        ? `Anyone with the public key checks it: unship audit verify --export ${output} --public-key FILE`
        : "Its head is not signed: the file names no ledger.signing_key, so that nothing was cut off cannot be proven.",
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}
