import { generateKeyPairSync } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPublicKey, readSigningKey } from "../../../knowledge/ledger/head-key.ts";
import { readSignedHeads, signHead } from "../../../knowledge/ledger/signed-head.ts";
import { signingKeys } from "./signing-keys.ts";

let keys: ReturnType<typeof signingKeys>;
let others: ReturnType<typeof signingKeys>;
beforeAll(() => {
  keys = signingKeys();
  others = signingKeys();
});
afterAll(() => {
  keys[Symbol.dispose]();
  others[Symbol.dispose]();
});

const HEAD = { seq: 42, hash: "ab".repeat(32) };

describe("a signed head", () => {
  it("is one word, and is found again in any text around it", () => {
    const one = signHead(HEAD, 1000, keys.key);
    const two = signHead({ ...HEAD, seq: 43 }, 2000, keys.key);
    expect(one).toMatch(/^\S+$/);
    const chat = `12:01 unship: checkout rolled back\n> Ledger head: ${one}.\n12:09 ada: (${two})`;
    expect(readSignedHeads(chat, keys.publicKey, "chat.txt")).toMatchObject([
      { ...HEAD, at: 1000, keyId: keys.key.id },
      { seq: 43, at: 2000 },
    ]);
  });

  it("does not survive the change of any one character", () => {
    const signed = signHead(HEAD, 1_790_000_000_000, keys.key);
    const place = fc.nat(signed.length - 1);
    fc.assert(
      fc.property(place, fc.constantFrom(..."0123456789abcdefXYZ_-:"), (at, other) => {
        // The last character of base64url carries four bits of padding, which decode to nothing.
        fc.pre(signed[at] !== other && at !== signed.length - 1);
        const altered = `${signed.slice(0, at)}${other}${signed.slice(at + 1)}`;
        expect(() => readSignedHeads(altered, keys.publicKey, "x")).toThrow();
      }),
    );
  });

  it.each([
    ["a text without any", () => "no head here", "there is no signed head in it"],
    ["one by somebody else's key", () => signHead(HEAD, 1, others.key), "was signed with key"],
    [
      "one by somebody else's key under this key's name",
      () => signHead(HEAD, 1, { secret: others.key.secret, id: keys.key.id }),
      "does not hold",
    ],
  ])("refuses %s", (_, text, reason) => {
    expect(() => readSignedHeads(text(), keys.publicKey, "chat.txt")).toThrow(reason);
  });
});

describe("the key that signs heads", () => {
  it("is read where only its owner can read it, and its public half fits", () => {
    const key = readSigningKey(keys.privateFile, join(others.folder, "ledger.db"));
    const signed = signHead(HEAD, 1, key);
    expect(readSignedHeads(signed, readPublicKey(keys.publicFile), "x")).toHaveLength(1);
    expect(readSignedHeads(signed, readPublicKey(keys.privateFile), "x")).toHaveLength(1);
  });

  const inLedger = (...path: string[]) => keys.write(join(others.folder, ...path), keys.privateKey);
  it.each([
    ["its group can read it", () => keys.write(join(keys.folder, "g.pem"), keys.privateKey, 0o640), "chmod 600"],
    ["everyone can read it", () => keys.write(join(keys.folder, "o.pem"), keys.privateKey, 0o604), "chmod 600"],
    ["it lies beside the ledger", () => inLedger("head-key.pem"), "the ledger's directory"],
    ["it lies below the ledger", () => inLedger("deep", "er", "key.pem"), "the ledger's directory"],
    [
      "a link leads from outside to a key beside the ledger",
      () => {
        const link = join(keys.folder, "link.pem");
        symlinkSync(inLedger("linked.pem"), link);
        return link;
      },
      "the ledger's directory",
    ],
    [
      "a link beside the ledger leads to a key outside",
      () => {
        const link = join(others.folder, "link.pem");
        symlinkSync(keys.privateFile, link);
        return link;
      },
      "the ledger's directory",
    ],
    ["it is not there", () => join(keys.folder, "none.pem"), "cannot be read"],
    ["it is no key", () => keys.write(join(keys.folder, "no.pem"), "no key"), "not an Ed25519 private key"],
    [
      "it is the public half",
      () => keys.write(join(keys.folder, "p.pem"), readFileSync(keys.publicFile, "utf8")),
      "not an Ed25519 private key",
    ],
    [
      "it is a key of another kind",
      () => {
        const { privateKey } = generateKeyPairSync("ec", {
          namedCurve: "P-256",
          privateKeyEncoding: { type: "pkcs8", format: "pem" },
          publicKeyEncoding: { type: "spki", format: "pem" },
        });
        return keys.write(join(keys.folder, "ec.pem"), privateKey);
      },
      "not an Ed25519 private key",
    ],
  ])("is refused where %s", (_, place, reason) => {
    const path = place();
    expect(() => readSigningKey(path, join(others.folder, "ledger.db"))).toThrow(reason);
  });

  it("a folder whose name only begins like the ledger's is outside", () => {
    const path = keys.write(join(keys.folder, "ledger-keys", "head.pem"), keys.privateKey);
    expect(readSigningKey(path, join(keys.folder, "ledger", "ledger.db")).id).toBe(keys.key.id);
  });
});
