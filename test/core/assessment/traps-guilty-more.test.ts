import { describe, it } from "vitest";
import { base, edges, noBank, shop, type Trap, walk } from "./trap.ts";
import { atS, deploy } from "./world.ts";

const TRAPS: readonly Trap[] = [
  [
    "names the culprit without a call graph, where the harm grows with its rollout",
    {
      services: shop,
      changes: [deploy("stock", 300, {}, 300), deploy("web", -400)],
      effects: [{ service: "stock", fromS: 310, errors: 0.3, rampS: 290 }],
    },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "takes back a deploy that fails two requests in a hundred",
    { ...base, changes: [deploy("cart", 300)], effects: [{ service: "cart", fromS: 310, errors: 0.02, rampS: 110 }] },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "names a deploy whose fault shows eight minutes after it was done",
    { ...base, minutes: 30, changes: [deploy("stock", 300)], effects: [{ service: "stock", fromS: 900, errors: 0.2 }] },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "names the deploy of a service that has no metrics, by its hurt caller",
    {
      services: { web: { rate: 200 }, gateway: { rate: 200 }, cart: { rate: 80 }, checkout: { rate: 60 } },
      edges,
      external: ["bank"],
      changes: [deploy("pay", 300)],
      effects: [{ service: "checkout", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "names the second of two deploys of one service",
    {
      ...base,
      changes: [
        deploy("cart", 100, { from: "v1.0.0", to: "v1.1.0" }),
        deploy("cart", 400, { from: "v1.1.0", to: "v1.2.0" }),
      ],
      effects: [{ service: "cart", fromS: 410, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-400",
  ],
  [
    "names the deploy before the trouble, not the one after it",
    {
      ...base,
      changes: [deploy("cart", 100, { from: "v1.0.0", to: "v1.1.0" }), deploy("stock", 400)],
      effects: [{ service: "cart", fromS: 110, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-100",
  ],
  [
    "names a deploy whose end nobody tells",
    {
      ...base,
      changes: [deploy("cart", 300, { finishedAt: null })],
      effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "names it also where the trouble came at once, when a rollout can no longer go on",
    {
      ...base,
      changes: [deploy("cart", 300, { finishedAt: null })],
      effects: [{ service: "cart", fromS: 310, errors: 0.3 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "cannot disable a flag that was switched off: hands it to people",
    {
      ...base,
      ...noBank,
      changes: [
        {
          id: "flag",
          kind: "flag",
          service: "pay",
          from: "on",
          to: "off",
          flag: "fast-pay",
          startedAt: atS(400),
          finishedAt: atS(401),
          source: "t",
          reversible: true,
        },
      ],
      effects: [{ service: "pay", fromS: 402, errors: 0.1 }],
    },
    "hotfix_recommendation",
    "flag",
  ],
  [
    "names the culprit although nothing was scraped while it began",
    {
      ...base,
      gap: [240, 420],
      changes: [deploy("cart", 300)],
      effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "names a deploy whose latency creeps up over twenty minutes",
    {
      ...base,
      minutes: 40,
      changes: [deploy("cart", 300)],
      effects: [{ service: "cart", fromS: 310, latency: 4, rampS: 1200 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "is not misled by retries that raise the traffic of what fails",
    {
      ...base,
      changes: [deploy("stock", 300)],
      // Tried again until it is answered: 1 / (1 − 0.3) times, of which as many are answered as ever.
      effects: [{ service: "stock", fromS: 310, errors: 0.3, traffic: 1.43, rampS: 110 }],
    },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "names the culprit where one service alone is measured and the harm grows with its rollout",
    {
      services: { web: { rate: 200 } },
      changes: [deploy("web", 300, {}, 300), deploy("cart", 250)],
      effects: [{ service: "web", fromS: 310, errors: 0.3, rampS: 290 }],
    },
    "rollback",
    "deploy-web-300",
  ],
  [
    "keeps two troubles apart, and takes the first one back",
    {
      ...base,
      minutes: 40,
      changes: [deploy("stock", 300), deploy("pay", 1800)],
      effects: [
        { service: "stock", fromS: 310, errors: 0.02, rampS: 110, spread: 0.3 },
        { service: "pay", fromS: 1810, errors: 0.3, rampS: 110 },
      ],
    },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "names a bad deploy at one request a second",
    {
      services: { web: { rate: 2 }, cart: { rate: 1 } },
      edges: [["web", "cart"]],
      minutes: 30,
      changes: [deploy("cart", 300)],
      effects: [{ service: "cart", fromS: 310, errors: 0.5, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "takes back the consumer alone where only the consumer is hurt",
    {
      ...base,
      changes: [
        deploy("stock", -200, { provides: { api: "v2" } }),
        deploy("cart", 300, { requires: { stock: "v1.1.0" } }),
      ],
      effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-cart-300",
  ],
];

describe("the culprit is named, in harder cases", () => {
  for (const [name, options, action, culprit] of TRAPS) it(name, () => walk(options, action, culprit));
});
