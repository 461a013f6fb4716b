import type { KeyObject } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { LedgerHead } from "../../core/ports.ts";
import { exportLines, verifyExport } from "../../knowledge/ledger/export.ts";
import { readPublicKey } from "../../knowledge/ledger/head-key.ts";
import { readSignedHeads, signHead } from "../../knowledge/ledger/signed-head.ts";
import type { AuditDesk, VouchedHead } from "../cli/composition.ts";
import { signingKeyOf } from "./attestation.ts";
import { auditApprovals } from "./recorded-approvals.ts";

/** Signs the ledger's head with the configured key; null where none is configured. Throws where it cannot be used. */
export function headSigner(config: Config, now: () => number): ((head: LedgerHead) => string) | null {
  const key = signingKeyOf(config)?.() ?? null;
  return key === null ? null : (head) => signHead(head, now(), key);
}

/** What an auditor works with: signed heads, exports, and the public key. None of it needs the private key. */
export function auditDesk(now: () => number): AuditDesk {
  return {
    heads(given, publicKeyFile, config) {
      const key = publicKey(publicKeyFile, config);
      return given.flatMap((one) =>
        existsSync(one) ? readSignedHeads(text(one), key, one) : readSignedHeads(one, key, "--head"),
      );
    },
    async verifyExport(file, given, publicKeyFile) {
      const key = publicKeyFile === undefined ? null : readPublicKey(publicKeyFile);
      let own: readonly VouchedHead[] = [];
      let unchecked = false;
      const approvals = auditApprovals(key);
      const lines = createInterface({ input: await opened(file), crlfDelay: Number.POSITIVE_INFINITY });
      const verification = await verifyExport(
        lines,
        file,
        (signed) => {
          unchecked = signed !== null && key === null;
          if (signed !== null && key !== null) own = readSignedHeads(signed, key, `the head in ${file}`);
          return [...given, ...own];
        },
        approvals.take,
      );
      const vouched = !verification.ok || key === null || given.length > 0;
      const unsigned = vouched ? null : whyUnsigned(own, verification.entries);
      const problems = unsigned === null ? verification.problems : [unsigned];
      return {
        ...verification,
        ok: problems.length === 0,
        problems,
        proven: [...given, ...own],
        unchecked,
        approvals: approvals.found(),
      };
    },
    approvals(entries, publicKeyFile, config) {
      const named = publicKeyFile !== undefined || config.ledger.signingKey !== null;
      const approvals = auditApprovals(named ? publicKey(publicKeyFile, config) : null);
      const problems = entries.flatMap((entry) => {
        const reason = approvals.take(entry);
        return reason === null ? [] : [{ seq: entry.seq, reason }];
      });
      return { ...approvals.found(), problems };
    },
    lines: (config, ledger) => exportLines(ledger, headSigner(config, now)),
  };
}

/**
 * Whoever changes an export can also take its signed head out, or put an older one there: where a public key is given and
 * no head that was kept elsewhere, the export must carry that of its own last entry. null: it does.
 */
function whyUnsigned(
  own: readonly VouchedHead[],
  last: number,
): { readonly seq: number; readonly reason: string } | null {
  if (own.some(({ seq }) => seq === last)) return null;
  const instead = own.length === 0 ? "it carries none" : `it carries that of entry ${own.map(({ seq }) => seq).join()}`;
  return { seq: last, reason: `is the last one, and no head of it is signed (${instead}): nobody vouches for its end` };
}

/** Writes lines into a file that only its owner can read: what a ledger holds is for auditors, not for everyone. */
export async function writeLines(path: string, lines: AsyncIterable<string>): Promise<number> {
  const cannot = (cause: unknown) =>
    new UnshipError("input.invalid", { what: path, reason: "it cannot be written there" }, { cause });
  const file = await open(path, "w", 0o600).catch((cause: unknown) => {
    throw cannot(cause);
  });
  let count = 0;
  try {
    for await (const line of lines) {
      await file.write(`${line}\n`).catch((cause: unknown) => {
        throw cannot(cause);
      });
      count += 1;
    }
  } finally {
    await file.close();
  }
  return count;
}

function publicKey(file: string | undefined, config: Config | null): KeyObject {
  const path = file ?? config?.ledger.signingKey ?? null;
  if (path !== null) return readPublicKey(path);
  const reason = "name the public key that the head was signed with (openssl pkey -in KEY -pubout)";
  throw new UnshipError("input.invalid", { what: "--public-key", reason });
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UnshipError("input.invalid", { what: file, reason: "it cannot be read" }, { cause });
  }
}

async function opened(file: string): Promise<NodeJS.ReadableStream> {
  const stream = createReadStream(file, "utf8");
  return new Promise((resolve, reject) => {
    stream.once("open", () => resolve(stream));
    stream.once("error", (cause) =>
      reject(new UnshipError("input.invalid", { what: file, reason: "it cannot be read" }, { cause })),
    );
  });
}
