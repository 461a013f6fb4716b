import { createHash, type KeyObject, sign, verify } from "node:crypto";
import { UnshipError } from "../../core/errors.ts";
import type { LedgerHead } from "../../core/ports.ts";

/** The end of a ledger at one moment, as whoever holds the key vouches for it. */
export interface SignedHead extends LedgerHead {
  /** When it was signed, Unix ms. */
  readonly at: number;
  /** Which key signed it: see `keyId`. */
  readonly keyId: string;
  /** Exactly as it was found. */
  readonly text: string;
}

/** `unship-head:1:<last entry>:<its hash>:<when, Unix ms>:<key>:<signature>`: one word, so that it survives any chat. */
const FORM = /unship-head:1:(\d{1,16}):([0-9a-f]{64}):(\d{1,16}):([0-9a-f]{16}):([A-Za-z0-9_-]{86})/g;

/** First 16 hex digits of the SHA-256 of the public key (DER, SubjectPublicKeyInfo): tells keys apart, proves nothing. */
export function keyId(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex").slice(0, 16);
}

/**
 * Signs a ledger's end with Ed25519. The signature covers every character of the text before its last colon.
 * @see https://www.rfc-editor.org/rfc/rfc8032
 */
export function signHead(
  { seq, hash }: LedgerHead,
  at: number,
  key: { readonly secret: KeyObject; readonly id: string },
): string {
  const claim = `unship-head:1:${seq}:${hash}:${at}:${key.id}`;
  return `${claim}:${sign(null, Buffer.from(claim), key.secret).toString("base64url")}`;
}

/**
 * Every signed head in a text (a chat's export, a mail, a log), in its order, each signature checked.
 * Throws "input.invalid" where there is none, or where one was not signed with this key or was altered.
 */
export function readSignedHeads(text: string, publicKey: KeyObject, where: string): readonly SignedHead[] {
  const refused = (reason: string) => new UnshipError("input.invalid", { what: where, reason });
  const heads = [...text.matchAll(FORM)].map(([word, seq, hash = "", at, id = "", signature = ""]): SignedHead => {
    if (id !== keyId(publicKey)) {
      throw refused(
        `the head of entry ${seq} was signed with key ${id}, and the given public key is ${keyId(publicKey)}`,
      );
    }
    const claim = word.slice(0, word.lastIndexOf(":"));
    if (!verify(null, Buffer.from(claim), publicKey, Buffer.from(signature, "base64url"))) {
      throw refused(
        `the signature of the head of entry ${seq} does not hold: it was altered, or made by somebody else`,
      );
    }
    return { seq: Number(seq), hash, at: Number(at), keyId: id, text: word };
  });
  if (heads.length === 0) throw refused("there is no signed head in it (unship-head:1:…)");
  return heads;
}
