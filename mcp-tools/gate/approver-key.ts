import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from "node:crypto";

/** What the file writes before a public key. */
export const KEY_PREFIX = "ed25519:";

/** A key pair that only whoever knows a personal token can make. */
export interface ApproverKey {
  /** The public half as the file holds it: "ed25519:" and 32 bytes, base64url. */
  readonly text: string;
  /** Signs a text → 64 bytes, base64url. */
  readonly sign: (text: string) => string;
}

/** Binds the derived key to this one use of the token. */
const PURPOSE = "unship approver key 1";
const SEED_BYTES = 32;
/** What precedes the 32 bytes in an Ed25519 private key, DER, PKCS #8. @see https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Derives the key from a personal token: HKDF-SHA256 without salt (RFC 5869) gives the seed of an Ed25519 key (RFC 8032).
 * A token must be random: whoever has the public key can try guesses, as with its SHA-256.
 * @see https://www.rfc-editor.org/rfc/rfc5869
 */
export function approverKey(token: string): ApproverKey {
  const seed = Buffer.from(hkdfSync("sha256", token, "", PURPOSE, SEED_BYTES));
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(secret).export({ format: "jwk" });
  return {
    text: `${KEY_PREFIX}${x}`,
    sign: (text) => sign(null, Buffer.from(text), secret).toString("base64url"),
  };
}

/** The public key that the file holds → a key that verifies. The file's own checks have seen to its form. */
export const publicKeyOf = (text: string): KeyObject =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: text.slice(KEY_PREFIX.length) }, format: "jwk" });
