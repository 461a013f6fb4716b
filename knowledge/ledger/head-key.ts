import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { UnshipError } from "../../core/errors.ts";
import { keyId } from "./signed-head.ts";

/** What signs heads, and its public half's name. */
export interface SigningKey {
  readonly secret: KeyObject;
  readonly id: string;
}

/** Group and others: whoever can read the key can sign a ledger of their own making. */
const OTHERS = 0o077;

/**
 * Reads the Ed25519 private key (PEM, PKCS #8) that signs the ledger's head. `ledgerFile`: the SQLite file, or null
 * where the ledger lies on a server. Throws "input.invalid" where the key cannot be read, is no such key, can be read
 * by others than its owner, or lies in the ledger's directory: whoever can rewrite the record must not find there what
 * would make it look untouched. Rights beside owner and mode (access control lists) it cannot see.
 */
export function readSigningKey(path: string, ledgerFile: string | null): SigningKey {
  const { pem, mode } = read(path);
  if (ledgerFile !== null && within(path, dirname(ledgerFile))) {
    throw refused(path, `it lies in the ledger's directory ${dirname(ledgerFile)}; keep the key somewhere else`);
  }
  if ((mode & OTHERS) !== 0) throw refused(path, `others can read it: chmod 600 ${path}`);
  const secret = parsed(path, () => createPrivateKey(pem), "an Ed25519 private key");
  return { secret, id: keyId(createPublicKey(secret)) };
}

/** Reads the public half (PEM), or derives it from the private one. Throws "input.invalid" where it is none. */
export function readPublicKey(path: string): KeyObject {
  const { pem } = read(path);
  return parsed(path, () => createPublicKey(pem), "an Ed25519 public key");
}

function read(path: string): { readonly pem: string; readonly mode: number } {
  try {
    return { mode: statSync(path).mode, pem: readFileSync(path, "utf8") };
  } catch (cause) {
    throw refused(path, "the key cannot be read", cause);
  }
}

function parsed(path: string, parse: () => KeyObject, what: string): KeyObject {
  const wanted = `it is not ${what} in PEM (openssl genpkey -algorithm ed25519)`;
  let key: KeyObject;
  try {
    key = parse();
  } catch {
    // What the parser says may quote the file.
    throw refused(path, wanted);
  }
  if (key.asymmetricKeyType !== "ed25519") throw refused(path, wanted);
  return key;
}

/** Whether the file, or what a link of this name leads to, lies in the folder or below it. */
function within(file: string, folder: string): boolean {
  const real = realpathSync(file);
  const named = join(realOf(dirname(resolve(file))), basename(file));
  const home = realOf(resolve(folder));
  return [real, named].some((one) => {
    const way = relative(home, one);
    return way !== ".." && !way.startsWith(`..${sep}`);
  });
}

/** A folder that does not exist yet has no links in it. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

const refused = (path: string, reason: string, cause?: unknown): UnshipError =>
  new UnshipError("input.invalid", { what: `the signing key ${path}`, reason }, { cause });
