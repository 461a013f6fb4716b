import { createPublicKey, sign, verify } from "node:crypto";
import type { Config } from "../../core/config/config.ts";
import { readSigningKey, type SigningKey } from "../../knowledge/ledger/head-key.ts";
import type { Attestation } from "../../mcp-tools/gate/approval-proof.ts";

/** Reads the configured signing key when it is first needed, and once. Throws "input.invalid" where it cannot be used. */
export function signingKeyOf({ ledger }: Pick<Config, "ledger">): (() => SigningKey) | null {
  const { signingKey: path } = ledger;
  if (path === null) return null;
  let key: SigningKey | null = null;
  return () => {
    key ??= readSigningKey(path, ledger.type === "sqlite" ? ledger.path : null);
    return key;
  };
}

/** What vouches for answers with that key, which is read when it is first needed. Texts are signed with Ed25519. */
export function attestationBy(key: () => SigningKey): Attestation {
  return {
    get id() {
      return key().id;
    },
    sign: (text) => sign(null, Buffer.from(text), key().secret).toString("base64url"),
    holds: (text, signature) =>
      verify(null, Buffer.from(text), createPublicKey(key().secret), Buffer.from(signature, "base64url")),
  };
}

/** The gate's part of it: nothing where the file names no key. */
export function attestationOf(config: Pick<Config, "ledger">): { readonly attestation?: Attestation } {
  const key = signingKeyOf(config);
  return key === null ? {} : { attestation: attestationBy(key) };
}
