import { createPublicKey, sign, verify } from "node:crypto";
import type { LedgerHead } from "../../core/ports.ts";
import type { SigningKey } from "./head-key.ts";

/** Vouches for the end of the chain within the ledger itself, at each write. */
export interface EndKey {
  readonly id: string;
  sign(head: LedgerHead): string;
  /** Whether this key signed this end. */
  holds(head: LedgerHead, signature: string | null): boolean;
}

/**
 * The signing key, for the ledger's own record of its end. The text that is signed differs from that of the heads that go
 * with notices (`signed-head.ts`), which the ledger keeps: none of those can be put here to cut off what came after.
 * @see https://www.rfc-editor.org/rfc/rfc8032 Ed25519
 */
export function endKey({ secret, id }: SigningKey): EndKey {
  const open = createPublicKey(secret);
  const claim = ({ seq, hash }: LedgerHead) => Buffer.from(`unship-ledger-end:1:${seq}:${hash}:${id}`);
  return {
    id,
    sign: (head) => `${id}:${sign(null, claim(head), secret).toString("base64url")}`,
    holds(head, signature) {
      const [signer, text] = signature?.split(":") ?? [];
      return signer === id && text !== undefined && verify(null, claim(head), open, Buffer.from(text, "base64url"));
    },
  };
}

/** Why an end counts for nothing though a key is configured; null: it is signed with that key. */
export function whyUnsigned(
  head: LedgerHead & { readonly signature: string | null },
  key: EndKey | null,
): string | null {
  if (key === null || key.holds(head, head.signature)) return null;
  const what =
    head.signature === null
      ? "is not signed, though a signing key is configured"
      : `is not signed with the configured key (${key.id})`;
  return `${what}: it was written by somebody without that key. If that was you, see that it is whole (unship audit verify) and sign it (unship audit sign)`;
}
