// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { whyNotSeparate } from "../../../agent/compose/separate.ts";
import { lockWatch } from "../../../agent/compose/watch-lock.ts";
import { loaded } from "../../core/config/fixtures.ts";
import { ALICE_TOKEN, sha256 } from "../../mcp-tools/gate/gate-world.ts";
import { unship } from "../cli/run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "unship-apart-"));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (sources: string) => `
data_sources:
  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }
${sources}
gate: { socket: "${at("gate.sock")}", token: "\${CHANNEL}" }
ledger: { path: "${at("ledger.db")}" }
approvers: [{ name: alice, token_sha256: "${sha256(ALICE_TOKEN)}" }]
`;
const ARGOCD = `  deployments: { type: argocd_webhook, endpoint: "http://a", token: "\${READ}", write: { token: "\${WRITE}" } }`;
const ALL = { CHANNEL: "channel", READ: "read", WRITE: "write" };
const why = (sources: string, environment: Record<string, string>) =>
  whyNotSeparate(loaded(file(sources), environment), environment);

describe("the gate's credentials, by their values", () => {
  it("are its own", () => {
    expect(why(ARGOCD, ALL)).toEqual([]);
  });

  it("are not the agent's under another name, and neither is told", () => {
    const found = why(ARGOCD, { ...ALL, READ: "one-and-the-same", WRITE: "one-and-the-same" });
    expect(found).toEqual([expect.stringMatching(/write\.token is the same credential as .*deployments\[0\]\.token/)]);
    expect(found.join()).not.toContain("one-and-the-same");
  });

  it("are not what the agent shows at the channel", () => {
    expect(why(ARGOCD, { ...ALL, CHANNEL: "write" })).toEqual([expect.stringContaining("gate.token")]);
  });

  it("S3: let no agent approve: its token is no person's", () => {
    const found = why(ARGOCD, { ...ALL, CHANNEL: ALICE_TOKEN });
    expect(found).toEqual([expect.stringMatching(/gate\.token is the personal token of alice/)]);
    expect(found.join()).not.toContain(ALICE_TOKEN);
  });

  it("are not one kubeconfig by two paths", () => {
    writeFileSync(at("read.kubeconfig"), "");
    symlinkSync(at("read.kubeconfig"), at("write.kubeconfig"));
    const source = (write: string) =>
      `  deployments: { type: kubernetes, kubeconfig: "${at("read.kubeconfig")}", write: { kubeconfig: "${write}" } }`;
    expect(why(source(at("write.kubeconfig")), ALL)).toEqual([expect.stringContaining("is the same file as")]);
  });
});

describe("unship gate", () => {
  const run = async (environment: Record<string, string>) => {
    writeFileSync(at("unship.yaml"), file(ARGOCD));
    return unship(["gate", "-c", at("unship.yaml")], { variables: environment });
  };

  it("does not start with the agent's credential", async () => {
    const ran = await run({ ...ALL, WRITE: "read" });
    expect(ran.code).not.toBe(0);
    expect(ran.err).toContain("is the same credential as");
  });

  it("does not start on a ledger that a watch works on by itself", async () => {
    const lock = await lockWatch({ file: at("ledger.db") });
    try {
      const ran = await run(ALL);
      expect(ran.code).not.toBe(0);
      expect(ran.err).toContain("works on");
    } finally {
      await lock.release();
    }
  });
});
