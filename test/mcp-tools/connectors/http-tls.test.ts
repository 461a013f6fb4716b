import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createHttp, type HttpOptions, path } from "../../../mcp-tools/connectors/http.ts";
import { requireReal } from "../../real-component.ts";

const never = new AbortController().signal;

describe.runIf(requireReal("openssl", "openssl"))("createHttp over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const certificate = (name: string) =>
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
        ...["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`), "-subj", `/CN=${name}`],
        ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:kube.internal"],
      ],
      { stdio: "ignore" },
    );
  beforeAll(() => {
    for (const name of ["server", "client", "stranger"]) certificate(name);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** One GET of a server with the certificate `server`: what it knew of the client, or why there was no answer. */
  async function asked(options: Partial<HttpOptions>, more: ServerOptions = {}) {
    const server = createServer({ key: read("server.key"), cert: read("server.pem"), ...more }, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(
        JSON.stringify({ client: subject?.CN ?? null, authorization: request.headers.authorization ?? null }),
      );
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const base = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      return await createHttp({ source: "kubernetes", base, ...options }).getJson(path`/x`, z.unknown(), never);
    } catch (error) {
      return (error as { facts: unknown }).facts;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it("sends the token to a server whose certificate the given authority signed", async () => {
    const headers = { authorization: "Bearer t" };
    expect(await asked({ ca: read("server.pem"), headers })).toEqual({ client: null, authorization: "Bearer t" });
  });

  it("checks the certificate's name as another where the configuration says so", async () => {
    expect(await asked({ ca: read("server.pem"), serverName: "kube.internal" })).toMatchObject({ client: null });
    expect(await asked({ ca: read("server.pem"), serverName: "other.internal" })).toMatchObject({
      because: "not-sent",
      reason: expect.stringMatching(/^the certificate of 127\.0\.0\.1:\d+ is for another name$/),
    });
  });

  it("shows its own certificate to a server that asks for one", async () => {
    const clientCertificate = { cert: read("client.pem"), key: read("client.key") };
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: read("client.pem") };
    expect(await asked({ ca: read("server.pem"), clientCertificate }, demanding)).toMatchObject({ client: "client" });
    expect(await asked({ ca: read("server.pem") }, demanding)).toMatchObject({
      source: "kubernetes",
      because: expect.any(String),
    });
  });

  it.each([
    ["an unknown authority", () => ({})],
    ["another authority", () => ({ ca: read("stranger.pem") })],
  ])("sends nothing to a server of %s", async (_, options) => {
    expect(await asked({ headers: { authorization: "Bearer t" }, ...options() })).toMatchObject({
      because: "not-sent",
      reason: expect.stringMatching(/^no authority that is trusted here signed the certificate of 127/),
    });
  });

  it("skips that check only where told to", async () => {
    expect(await asked({ insecureSkipTlsVerify: true })).toMatchObject({ client: null });
  });
});
