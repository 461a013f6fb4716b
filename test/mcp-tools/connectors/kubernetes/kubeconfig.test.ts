import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { UnshipError } from "../../../../core/errors.ts";
import {
  inClusterAccess,
  parseKubeconfig,
  readKubeconfig,
} from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";

interface Parts {
  readonly cluster?: object;
  readonly user?: object | null;
  readonly context?: object;
}

const text = ({ cluster, user, context }: Parts = {}) =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443/prefix", ...cluster } }],
    contexts: [
      { name: "prod", context: { cluster: "c", user: "u", ...context } },
      { name: "broken", context: { cluster: "nowhere", user: "u" } },
      { name: "anonymous", context: { cluster: "c", user: "" } },
      { name: "nobody", context: { cluster: "c", user: "missing" } },
    ],
    users: [{ name: "u", user: user === undefined ? { token: "s3cret-token" } : user }],
  });

const parsed = (parts?: Parts, context: string | null = null) =>
  parseKubeconfig(text(parts), "/home/ada/.kube/config", context);
const base64 = (value: string) => Buffer.from(value).toString("base64");
async function headers(access: ReturnType<typeof parsed>) {
  return typeof access.http.headers === "function" ? access.http.headers() : access.http.headers;
}

describe("parseKubeconfig", () => {
  it("takes the current context's server, namespace and token", async () => {
    const access = parsed({ context: { namespace: "shop" } });
    expect([access.server.href, access.namespace]).toEqual(["https://10.0.0.1:6443/prefix", "shop"]);
    expect(await headers(access)).toEqual({ authorization: "Bearer s3cret-token" });
  });

  it.each([
    ["name and password", { username: "ada", password: "pw" }, { authorization: `Basic ${base64("ada:pw")}` }],
    ["an empty user", {}, undefined],
    ["a user of null", null, undefined],
  ])("takes %s", async (_, user, expected) => {
    expect(await headers(parsed({ user }))).toEqual(expected);
  });

  it("takes certificates from data, and the server's other name", () => {
    const access = parsed({
      cluster: { "certificate-authority-data": base64("CA"), "tls-server-name": "kube.internal" },
      user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
    });
    expect(access.http).toEqual({
      ca: "CA",
      serverName: "kube.internal",
      clientCertificate: { cert: "CERT", key: "KEY" },
    });
  });

  it("allows plain http and skips verification only where the file says so", () => {
    expect(parsed({ cluster: { server: "http://127.0.0.1:8001" } }).server.protocol).toBe("http:");
    expect(parsed({ cluster: { "insecure-skip-tls-verify": true } }).http.insecureSkipTlsVerify).toBe(true);
    expect(parsed().http.insecureSkipTlsVerify).toBeUndefined();
  });

  it("knows a context without a user", async () => {
    expect(await headers(parsed({}, "anonymous"))).toBeUndefined();
  });

  it.each([
    [
      "an exec plugin",
      () => parsed({ user: { exec: { command: "aws-iam-authenticator" } } }),
      'running "aws-iam-authenticator" (exec)',
    ],
    ["an auth-provider", () => parsed({ user: { "auth-provider": { name: "gcp" } } }), 'auth-provider "gcp"'],
    ["a proxy", () => parsed({ cluster: { "proxy-url": "socks5://proxy" } }), "proxy-url"],
    [
      "an unknown context",
      () => parsed({}, "staging"),
      'no context "staging"; known are: prod, broken, anonymous, nobody',
    ],
    ["a context without its cluster", () => parsed({}, "broken"), 'the cluster "nowhere", which it lacks'],
    ["a context without its user", () => parsed({}, "nobody"), 'the user "missing", which it lacks'],
    ["a server that is no address", () => parsed({ cluster: { server: "10.0.0.1" } }), "no http or https address"],
    ["a server of another scheme", () => parsed({ cluster: { server: "ftp://10.0.0.1" } }), "no http or https address"],
    ["a file of another kind", () => parseKubeconfig("clusters: 7", "f", null), "check clusters"],
    ["a file that is no YAML", () => parseKubeconfig("a: [", "f", null), "it is no kubeconfig"],
    ["a file that is not there", () => readKubeconfig("/nonexistent/config", null), "ENOENT"],
    [
      "a certificate that is not there",
      () => parsed({ user: { "client-certificate": "/nonexistent/cert" } }),
      "ENOENT",
    ],
    ["no pod to run in", () => inClusterAccess("/nonexistent"), "ENOENT"],
  ])("refuses %s, saying so, without a secret in the text", (_, make, reason) => {
    let error: unknown;
    try {
      make();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UnshipError);
    expect(error).toMatchObject({ code: "config.unreadable", message: expect.stringContaining(reason) });
    expect(inspect(error, { depth: 9 })).not.toContain("s3cret-token");
  });
});

describe("files beside a kubeconfig", () => {
  it("paths count from its own folder, and a token file is read again for each request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    try {
      writeFileSync(join(folder, "ca.pem"), "CA of the folder");
      writeFileSync(join(folder, "token"), "first\n");
      const file = join(folder, "config");
      writeFileSync(file, text({ cluster: { "certificate-authority": "ca.pem" }, user: { tokenFile: "token" } }));
      const access = readKubeconfig(file, null);
      expect(access.http.ca).toBe("CA of the folder");
      expect(await headers(access)).toEqual({ authorization: "Bearer first" });
      writeFileSync(join(folder, "token"), "second");
      expect(await headers(access)).toEqual({ authorization: "Bearer second" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("inside a pod the service account's files are the access", async () => {
    const folder = mkdtempSync(join(tmpdir(), "serviceaccount-"));
    try {
      for (const [name, value] of [
        ["token", "pod-token"],
        ["ca.crt", "CA"],
        ["namespace", "unship\n"],
      ] as const)
        writeFileSync(join(folder, name), value);
      const access = inClusterAccess(folder);
      expect([access.server.href, access.namespace, access.http.ca]).toEqual([
        "https://kubernetes.default.svc/",
        "unship",
        "CA",
      ]);
      expect(await headers(access)).toEqual({ authorization: "Bearer pod-token" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
