import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";
import { drawn, numbers } from "./filled.ts";

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

describe("secrets with a name beside them, in any of the ways that it is written", () => {
  it.each([
    ["the environment of a container, in JSON", (s: string) => `[{"name":"DB_PASSWORD","value":"${s}"}]`],
    ["within JSON", (s: string) => JSON.stringify({ a: JSON.stringify([{ name: "API_TOKEN", value: s }]) })],
    ["in YAML", (s: string) => `- name: DB_PASSWORD\n  value: ${s}`],
    ["in a map of YAML", (s: string) => `env: {name: DB_PASSWORD, value: ${s}}`],
    ["a parameter of a stack", (s: string) => `{"ParameterKey":"DbPassword","ParameterValue":"${s}"}`],
    ["a setting in XML", (s: string) => `<add key="DbPassword" value="${s}"/>`],
    ["a patch", (s: string) => `{"op":"replace","path":"/spec/password","value":"${s}"}`],
    ["a block of YAML", (s: string) => `password: >-\n  ${s}\nnext: 1`],
    ["a plan that changes it", (s: string) => `~ password: "old1234567" => "${s}"`],
    ["a change with an arrow", (s: string) => `DB_PASSWORD: old1234567 -> ${s}`],
    ["a sentence about a change", (s: string) => `DB_PASSWORD changed: old1234567 → ${s}`],
    ["a user of curl", (s: string) => `curl --user admin:${s} https://h`],
    ["the user of an address", (s: string) => `git clone https://${s}@git.example/x.git failed`],
    ["a list of arguments without quotes", (s: string) => `command: [mysql, -u, root, --password, ${s}]`],
    ["behind what was hidden before", (s: string) => `password=[redacted]${s}`],
  ])("%s", (_, written) => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const next = numbers(seed);
      const secret = `${drawn(LETTERS, 5, next)}7x${drawn(LETTERS, 6, next)}`;
      const safe = redactSecrets(written(secret));
      expect(safe).not.toContain(secret);
      expect(safe).not.toContain("old1234567");
      expect(redactSecrets(safe)).toBe(safe);
    }
  });

  it.each([
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDCQB9yacUg3tcE",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVBJBX0GOFlLAxpdd",
  ])("the first line of a private key that was logged line by line: %s", (line) => {
    expect(redactSecrets(line)).toBe("[redacted private key]");
  });

  it.each([
    '{"name":"DB_HOST","value":"db-1.prod"}',
    '{"name":"token-service","value":3}',
    "password policy changed: weak → strong",
    "- name: checkout\n  value: Zk81xv71QmPlw",
    '{"op":"replace","path":"/spec/replicas","value":"12"}',
    "https://deploy-bot2@git.example/x.git",
    "use --password, then try again",
  ])("what is none stays: %s", (line) => {
    expect(redactSecrets(line)).toBe(line);
  });
});
