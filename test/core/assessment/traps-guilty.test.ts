import { describe, it } from "vitest";
import { base, live, noBank, type Trap, walk } from "./trap.ts";
import { atS, deploy } from "./world.ts";

const TRAPS: readonly Trap[] = [
  [
    "hands a migration to people, with a hotfix recommendation",
    {
      ...base,
      changes: [deploy("stock", 300, { id: "mig", kind: "migration", reversible: false }, 5)],
      effects: [{ service: "stock", fromS: 302, errors: 0.3 }],
    },
    "hotfix_recommendation",
    "mig",
  ],
  [
    "takes a gradual rollout back while it is still rolling out",
    {
      ...base,
      minutes: 30,
      changes: [deploy("cart", 200, {}, 1200)],
      effects: [{ service: "cart", fromS: 200, errors: 0.3, rampS: 1200 }],
      versions: [
        {
          service: "cart",
          fromS: 200,
          toS: 1400,
          old: "v1.0.0",
          fresh: "v1.1.0",
          share: (s) => Math.min(1, (s - 200) / 1200),
          oldErrors: 0.002,
          freshErrors: 0.3,
        },
      ],
    },
    "rollback",
    "deploy-cart-200",
  ],
  [
    "takes a canary back that fails for a tenth of the traffic",
    {
      ...base,
      minutes: 30,
      changes: [deploy("cart", 200, { canary: 0.1, finishedAt: null })],
      effects: [{ service: "cart", fromS: 200, errors: 0.03 }],
      versions: [
        {
          service: "cart",
          fromS: 200,
          toS: 1400,
          old: "v1.0.0",
          fresh: "v1.1.0",
          share: () => 0.1,
          oldErrors: 0.002,
          freshErrors: 0.3,
        },
      ],
    },
    "rollback",
    "deploy-cart-200",
  ],
  [
    "blames the callee where a caller was deployed ten seconds earlier",
    {
      ...base,
      changes: [deploy("gateway", 300), deploy("stock", 310)],
      effects: [{ service: "stock", fromS: 320, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-stock-310",
  ],
  [
    "blames the one that fails where another was deployed ten seconds later",
    {
      ...base,
      changes: [deploy("checkout", 300), deploy("stock", 310)],
      effects: [{ service: "checkout", fromS: 320, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-checkout-300",
  ],
  [
    "does not blame deploys during an incident that another deploy caused",
    {
      ...base,
      ...noBank,
      minutes: 30,
      changes: [deploy("pay", 300), deploy("cart", 420), deploy("web", 480)],
      effects: [{ service: "pay", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "names the culprit at 60 s steps with 14 minutes of history and no request rates, by errors",
    {
      ...base,
      stepS: 60,
      historyS: 840,
      metrics: ["error_rate", "p99_latency", "p50_latency"],
      changes: [deploy("stock", 300), deploy("cart", 280)],
      effects: [{ service: "stock", fromS: 310, errors: 0.3, rampS: 110 }],
    },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "names the culprit at 60 s steps with 14 minutes of history and no request rates, by latency",
    {
      ...base,
      stepS: 60,
      historyS: 840,
      metrics: ["p99_latency", "p50_latency"],
      changes: [deploy("stock", 300), deploy("cart", 280)],
      effects: [{ service: "stock", fromS: 310, latency: 3, rampS: 110 }],
    },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "names a deploy live at 1 s steps with half a minute of history, by errors",
    {
      ...live,
      minutes: 1.5,
      changes: [deploy("cart", 20, {}, 4)],
      effects: [{ service: "cart", fromS: 22, errors: 0.2 }],
    },
    "rollback",
    "deploy-cart-20",
  ],
  [
    "names a deploy live at 1 s steps with half a minute of history, by latency",
    {
      ...live,
      minutes: 1.5,
      changes: [deploy("cart", 20, {}, 4)],
      effects: [{ service: "cart", fromS: 22, latency: 4 }],
    },
    "rollback",
    "deploy-cart-20",
  ],
  [
    "passes over an innocent caller's deploy a minute earlier, live",
    {
      ...live,
      minutes: 2.5,
      changes: [deploy("web", 10, {}, 4), deploy("cart", 70, {}, 4)],
      effects: [{ service: "cart", fromS: 72, errors: 0.2 }],
    },
    "rollback",
    "deploy-cart-70",
  ],
  [
    "takes back what leaks memory toward the limit, live",
    {
      services: { web: { rate: 60 }, cart: { rate: 40 }, stock: { rate: 20 } },
      edges: [
        ["web", "cart"],
        ["cart", "stock"],
      ],
      stepS: 1,
      historyS: 40,
      minutes: 3,
      changes: [deploy("cart", 20, {}, 4)],
      effects: [{ service: "cart", fromS: 24, leak: 0.2, spread: 0 }],
    },
    "rollback",
    "deploy-cart-20",
  ],
  [
    "takes back a slow leak whose change is half an hour old",
    {
      ...base,
      minutes: 60,
      changes: [deploy("stock", -1800)],
      effects: [{ service: "stock", fromS: -1700, leak: 0.006, spread: 0 }],
    },
    "rollback",
    "deploy-stock--1800",
  ],
  [
    "takes back a config change",
    {
      ...base,
      ...noBank,
      changes: [deploy("pay", 300, { id: "cfg", kind: "config" }, 10)],
      effects: [{ service: "pay", fromS: 305, errors: 0.1 }],
    },
    "rollback",
    "cfg",
  ],
  [
    "switches a flag off rather than rolling back the deploy before it",
    {
      ...base,
      ...noBank,
      changes: [
        deploy("pay", 120),
        {
          id: "flag",
          kind: "flag",
          service: "pay",
          from: "off",
          to: "on",
          flag: "fast-pay",
          startedAt: atS(400),
          finishedAt: atS(401),
          source: "t",
          reversible: true,
        },
      ],
      effects: [{ service: "pay", fromS: 402, errors: 0.1 }],
    },
    "feature_flag_disable",
    "flag",
  ],
  [
    "asks people where a bank that nobody measures may have failed as its caller was deployed",
    { ...base, changes: [deploy("pay", 300)], effects: [{ service: "pay", fromS: 310, errors: 0.3 }] },
    "no_action",
    "deploy-pay-300",
  ],
];

describe("the culprit is named", () => {
  for (const [name, options, action, culprit] of TRAPS) it(name, () => walk(options, action, culprit));
});
