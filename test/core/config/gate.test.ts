// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { loaded, problems, SEED } from "./fixtures.ts";

const METRICS = '  metrics: { type: prometheus, endpoint: "http://p:9090" }\n';
const GATE = "gate: { socket: /run/unship/gate.sock, token: '${CHANNEL}' }\n";
const KUBERNETES = "  deployments: { type: kubernetes, kubeconfig: /r, write: { kubeconfig: /w } }\n";
const ARGOCD = `  deployments: { type: argocd_webhook, endpoint: "http://a", token: "\${READ}", write: { token: "\${WRITE}" } }\n`;
const file = (sources: string, more = GATE) => `data_sources:\n${METRICS}${sources}${more}`;
const ALL = { CHANNEL: "c", READ: "r", WRITE: "w", KEY: "k" };

describe("a gate of its own", () => {
  it("is named by where it answers and what the agent shows there", () => {
    expect(loaded(file(KUBERNETES), ALL).gate).toEqual({
      at: { socket: "/run/unship/gate.sock" },
      token: { from: "env", name: "CHANNEL" },
    });
    const listen = loaded(file(KUBERNETES, "gate: { listen: ':7333', token: '${CHANNEL}' }\n"), ALL);
    expect(listen.gate?.at).toEqual({ host: "127.0.0.1", port: 7333 });
  });

  it("is none where the file says nothing: the seed's file acts in one process, and says so", () => {
    const config = loaded(SEED);
    expect(config.gate).toBeUndefined();
    expect(explain(config).join("\n")).toContain(
      "One process (no gate): `unship watch` and `unship mcp` hold what can",
    );
  });

  it.each([
    ["answers nowhere", "gate: { token: '${CHANNEL}' }\n", /gate says nowhere to answer \(add socket/],
    [
      "answers twice",
      "gate: { socket: /s, listen: ':7333', token: '${CHANNEL}' }\n",
      /gate\.listen is given together with socket/,
    ],
    [
      "answers other machines",
      "gate: { listen: '0.0.0.0:7333', token: '${CHANNEL}' }\n",
      /gate\.listen "0\.0\.0\.0:7333" is no address of the loopback/,
    ],
    ["knows nobody", "gate: { socket: /s }\n", /gate lacks token/],
  ])("that %s is a problem", (_, gate, says) => {
    expect(problems(file(KUBERNETES, gate), ALL)).toEqual([expect.stringMatching(says)]);
  });

  it.each([
    ["a kubeconfig", "  deployments: { type: kubernetes, kubeconfig: /r, write: { kubeconfig: /r } }\n"],
    [
      "a token",
      `  deployments: { type: argocd_webhook, endpoint: "http://a", token: "\${READ}", write: { token: "\${READ}" } }\n`,
    ],
    [
      "a flag token",
      `  feature_flags: { type: unleash, endpoint: "http://u", token: "\${KEY}", write: { token: "\${KEY}" } }\n`,
    ],
  ])("that has the agent's own credential, %s, is a problem", (_, source) => {
    expect(problems(file(source), ALL)).toEqual([expect.stringMatching(/is the credential that the agent reads with/)]);
  });

  it("may have the same kubeconfig with another context, or the account of a pod of its own", () => {
    expect(
      problems(
        file("  deployments: { type: kubernetes, kubeconfig: /r, write: { kubeconfig: /r, context: w } }\n"),
        ALL,
      ),
    ).toEqual([]);
    expect(problems(file("  deployments: { type: kubernetes, write: {} }\n"), ALL)).toEqual([]);
  });

  it("carries nothing out on a source that names no credential for it, and says so", () => {
    const text = `${file("  deployments: { type: kubernetes, kubeconfig: /r }\n")}execution: { allowed_actions: [{ type: kubectl_rollout_undo, namespaces: [shop], require_approval: false }] }\n`;
    const lines = explain(loaded(text, ALL)).join("\n");
    expect(lines).toContain(
      "Cannot be carried out with this configuration: the gate has no credential of its own for it (write).",
    );
    expect(lines).toContain("CAUTION: no source names a credential for it (write), so it can carry nothing out.");
  });
});

describe("each process needs its own secrets alone", () => {
  const MODEL = "model: { provider: openai, model: m, api_key: '${KEY}' }\n";
  const LEDGER = "ledger: { url: '${LEDGER}' }\n";
  const SLACK = "notifications: { slack: { bot_token: '${BOT}' } }\n";
  const unset = (process: "agent" | "gate", variables: Record<string, string>) => {
    const result = loadConfig(file(ARGOCD, GATE + MODEL + LEDGER + SLACK), "u.yaml", variables, { process });
    return result.ok ? [] : result.problems.map(formatProblem);
  };

  it("the agent reads, shows the channel's token and asks its model", () => {
    expect(unset("agent", { CHANNEL: "c", READ: "r", KEY: "k" })).toEqual([]);
    expect(unset("agent", { READ: "r", KEY: "k" })).toEqual([expect.stringMatching(/gate\.token needs/)]);
  });

  it("the gate acts, keeps the record and tells people", () => {
    expect(unset("gate", { CHANNEL: "c", READ: "r", WRITE: "w", LEDGER: "l", BOT: "b" })).toEqual([]);
    expect(unset("gate", { CHANNEL: "c", READ: "r" })).toEqual([
      expect.stringMatching(/deployments\.write\.token needs the variable WRITE/),
      expect.stringMatching(/ledger\.url needs the variable LEDGER/),
      expect.stringMatching(/notifications\.slack\.bot_token needs the variable BOT/),
    ]);
  });

  it("one process needs all of them", () => {
    const result = loadConfig(file(ARGOCD, MODEL + LEDGER), "u.yaml", { READ: "r", KEY: "k" });
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([
      expect.stringMatching(/WRITE/),
      expect.stringMatching(/LEDGER/),
    ]);
  });
});
