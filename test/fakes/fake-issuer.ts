import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Header {
  readonly alg: string;
  readonly kid?: string;
  readonly [more: string]: unknown;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

let made: { readonly rsa: Pair; readonly ec: Pair } | undefined;
type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** Made once a process: finding primes takes a while. */
const pairs = () => {
  made ??= {
    rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  };
  return made;
};

/**
 * An OpenID Connect issuer that lives in this process: its discovery document and its keys over a real socket, and
 * tokens signed by hand (RFC 7515 §5.1, RFC 7518 §3), with no library that a verifier under test might share.
 *
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
 */
export async function fakeIssuer() {
  const { rsa, ec } = pairs();
  const keys = [
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa-1", use: "sig", alg: "RS256" },
    { ...ec.publicKey.export({ format: "jwk" }), kid: "ec-1", use: "sig", alg: "ES256" },
  ];
  let status = 200;
  let fetched = 0;
  const server = createServer((request, response) => {
    const found = { "/.well-known/openid-configuration": { issuer, jwks_uri: `${issuer}/keys` }, "/keys": { keys } }[
      request.url ?? ""
    ];
    if (request.url === "/keys") fetched += 1;
    response.writeHead(found === undefined ? 404 : status, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? { error: "not_found" }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const signatureOf = (alg: string, input: string, key: KeyObject): Buffer => {
    if (alg === "RS256") return sign("sha256", Buffer.from(input), key);
    if (alg === "ES256") return sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
    if (alg === "HS256") return createHmac("sha256", key.export()).update(input).digest();
    return Buffer.alloc(0);
  };
  return {
    issuer,
    jwksUrl: `${issuer}/keys`,
    /** The public key as its PEM text, which everybody has: the "secret" of a key confusion. */
    publicPem: rsa.publicKey.export({ format: "pem", type: "spki" }).toString(),
    fetched: () => fetched,
    /** A token with this header and these claims. `key`: instead of the issuer's own for the algorithm. */
    token(claims: Readonly<Record<string, unknown>>, header: Header = { alg: "RS256", kid: "rsa-1" }, key?: KeyObject) {
      const input = `${base64url({ typ: "JWT", ...header })}.${base64url(claims)}`;
      const own = header.alg === "ES256" ? ec.privateKey : rsa.privateKey;
      return `${input}.${signatureOf(header.alg, input, key ?? own).toString("base64url")}`;
    },
    breakDown: () => {
      status = 503;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
