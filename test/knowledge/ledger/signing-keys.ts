import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyId } from "../../../knowledge/ledger/signed-head.ts";

/** A key pair in files of a folder of its own, and in memory. */
export function signingKeys() {
  const folder = mkdtempSync(join(tmpdir(), "unship-key-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const write = (path: string, text: string, mode = 0o600) => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const open = createPublicKey(publicKey);
  return {
    folder,
    privateKey,
    publicKey: open,
    key: { secret: createPrivateKey(privateKey), id: keyId(open) },
    privateFile: write(join(folder, "head.pem"), privateKey),
    publicFile: write(join(folder, "head.pub"), publicKey, 0o644),
    write,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
