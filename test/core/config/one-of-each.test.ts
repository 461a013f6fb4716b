import { describe, expect, it } from "vitest";
import { problems } from "./fixtures.ts";

const file = (more: string) => `data_sources:\n  metrics: { type: prometheus, endpoint: "http://p:9090" }\n${more}`;
const kubernetes = (context: string) => `    - { type: kubernetes, context: ${context} }\n`;
const ARGOCD = '    - { type: argocd_webhook, endpoint: "https://argocd.example" }\n';
const schema = (name: string, service: string) => `    - { name: ${name}, service: ${service}, status: [at] }\n`;

describe("what an act would have to tell apart", () => {
  it.each([
    ["a cluster and an Argo CD server", `  deployments:\n${kubernetes("eu")}${ARGOCD}`],
    ["two schemas", `  migrations:\n${schema("orders-db", "orders")}${schema("bills-db", "billing")}`],
  ])("%s may stand beside each other", (_, more) => {
    expect(problems(file(more))).toEqual([]);
  });

  it.each([
    [
      "two clusters",
      `  deployments:\n${kubernetes("eu")}${kubernetes("us")}`,
      /^u\.yaml:5:\d+: data_sources\.deployments\[1\]\.type is the same as that of data_sources\.deployments\[0\] \(one of each kind/,
    ],
    [
      "two Argo CD servers",
      `  deployments:\n${ARGOCD}${ARGOCD}`,
      /^u\.yaml:5:\d+: data_sources\.deployments\[1\]\.type is the same/,
    ],
    [
      "two schemas of one name",
      `  migrations:\n${schema("main", "orders")}${schema("main", "billing")}`,
      /^u\.yaml:5:\d+: data_sources\.migrations\[1\]\.name is the same as that of data_sources\.migrations\[0\]/,
    ],
  ])("%s may not", (_, more, says) => {
    expect(problems(file(more))).toEqual([expect.stringMatching(says)]);
  });
});
