import { describe, expect, it } from "vitest";
import { createServiceNames, type NamedWorkload } from "../../../agent/compose/service-names.ts";
import { loadConfig } from "../../../core/config/load.ts";

const namesOf = (namespaces: string) => {
  const loaded = loadConfig(
    `
data_sources:
  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }
  deployments: { type: kubernetes, namespaces: ${namespaces} }
services:
  storefront: { namespace: shop, workload: { kind: Deployment, name: web-v2 } }
  cart: { namespace: shop }
  mail: {}
rollback_policies:
  auto_rollback:
    conditions: [{ metric: error_rate, threshold: 0.05, duration: 3m, comparison: greater_than }]
    action: rollback_immediate
reasoning_chain: { on_anomaly_detected: [{ step: recommend_action, action: "select from [rollback, no_action]" }] }
execution: { allowed_actions: [], guardrails: {} }
`,
    "unship.yaml",
    {},
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return createServiceNames(loaded.config);
};

describe("which service a workload of a mesh is", () => {
  it.each<readonly [string, string, NamedWorkload, string | null]>([
    ["the one whose workload it is", "[shop]", { name: "web-v2", namespace: "shop" }, "storefront"],
    [
      "the one whose workload it is, whatever its labels call it",
      "[shop]",
      { name: "web", namespace: "shop", workload: "web-v2" },
      "storefront",
    ],
    ["the one of its name in its namespace", "[shop]", { name: "cart", namespace: "shop" }, "cart"],
    ["the one of its name, where no namespace is configured", "[shop]", { name: "mail", namespace: "x" }, "mail"],
    ["the one of its name, where its namespace is not known", "[shop]", { name: "cart", namespace: "" }, "cart"],
    ["not its namesake in another namespace", "[shop]", { name: "cart", namespace: "staging" }, "cart.staging"],
    ["its own name, where its namespace is watched", "[shop]", { name: "stock", namespace: "shop" }, "stock"],
    ["its name and namespace, where that is not watched", "[shop]", { name: "stock", namespace: "x" }, "stock.x"],
    ["nothing that anyone says, where all namespaces are watched", '["*"]', { name: "stock", namespace: "x" }, null],
    ["nothing that anyone says, where its namespace is not known", "[shop]", { name: "stock", namespace: "" }, null],
  ])("%s", (_, namespaces, workload, service) => {
    expect(namesOf(namespaces)(workload)).toBe(service);
  });
});
