import { describe, it } from "vitest";
import { base, live, shop, type Trap, walk } from "./trap.ts";
import { deploy } from "./world.ts";

const TRAPS: readonly Trap[] = [
  [
    "leaves a deploy alone that was done six minutes before an external dependency of its service failed",
    { ...base, changes: [deploy("pay", -60)], effects: [{ service: "pay", fromS: 300, errors: 0.3 }] },
    "no_action",
  ],
  [
    "leaves a deploy alone whose two versions fail alike while an external dependency is down",
    {
      ...base,
      changes: [deploy("pay", 240)],
      effects: [{ service: "pay", fromS: 300, errors: 0.3 }],
      versions: [
        {
          service: "pay",
          fromS: 240,
          toS: 360,
          old: "v1.0.0",
          fresh: "v1.1.0",
          share: (s) => (s - 240) / 120,
          oldErrors: 0.3,
          freshErrors: 0.3,
        },
      ],
    },
    "no_action",
  ],
  [
    "leaves a deploy alone when twice the users come",
    {
      ...base,
      changes: [deploy("cart", 200)],
      effects: Object.keys(shop).map((service) => ({
        service,
        fromS: 300,
        traffic: 2.2,
        latency: 1.8,
        rampS: 60,
        spread: 0,
      })),
    },
    "no_action",
  ],
  [
    "leaves a deploy alone when unrelated services fail at the same moment",
    {
      ...base,
      changes: [deploy("stock", 180)],
      effects: ["stock", "pay", "web"].map((service) => ({ service, fromS: 300, errors: 0.25, spread: 0 })),
    },
    "no_action",
  ],
  [
    "takes a scrape gap after a deploy for neither health nor harm",
    { ...base, changes: [deploy("cart", 180)], gap: [240, 540] },
    "no_action",
  ],
  [
    "takes single errors among a few requests a minute for noise",
    {
      services: { web: { rate: 0.05, errors: 0.03 }, cart: { rate: 0.05, errors: 0.03 } },
      edges: [["web", "cart"]],
      changes: [deploy("cart", 180)],
    },
    "no_action",
  ],
  [
    "leaves a deploy alone that came long after the degradation began",
    { ...base, changes: [deploy("cart", 180)], effects: [{ service: "cart", fromS: -1200, errors: 0.2 }] },
    "no_action",
  ],
  [
    "leaves a deploy alone that came two minutes after the degradation began",
    { ...base, changes: [deploy("cart", 420)], effects: [{ service: "cart", fromS: 300, errors: 0.2 }] },
    "no_action",
  ],
  [
    "does nothing about a good deploy, live",
    { ...live, minutes: 3, changes: [deploy("cart", 20, {}, 4)] },
    "no_action",
  ],
  [
    "lets errors pass that end with the rollout, live",
    {
      ...live,
      minutes: 3,
      changes: [deploy("cart", 20, {}, 6)],
      effects: [{ service: "cart", fromS: 21, toS: 27, errors: 0.2 }],
    },
    "no_action",
  ],
  [
    "does nothing when an external dependency fails, live",
    {
      services: { web: { rate: 60 }, cart: { rate: 40 }, pay: { rate: 20 } },
      edges: [
        ["web", "cart"],
        ["cart", "pay"],
        ["pay", "bank"],
      ],
      external: ["bank"],
      stepS: 1,
      historyS: 30,
      minutes: 3,
      effects: [{ service: "pay", fromS: 60, errors: 0.5 }],
    },
    "no_action",
  ],
  [
    "never undoes its own rollback",
    {
      ...base,
      changes: [deploy("pay", 300, { ownRollback: true, from: "v1.1.0", to: "v1.0.0" }, 10)],
      effects: [{ service: "pay", fromS: 305, errors: 0.1 }],
    },
    "no_action",
  ],
  [
    "lets errors pass that end during the rollout",
    { ...base, changes: [deploy("pay", 300)], effects: [{ service: "pay", fromS: 305, toS: 400, errors: 0.1 }] },
    "no_action",
  ],
  [
    "lets errors pass that end shortly after the rollout",
    { ...base, changes: [deploy("pay", 300)], effects: [{ service: "pay", fromS: 305, toS: 440, errors: 0.1 }] },
    "no_action",
  ],
  [
    "does nothing about six good deploys in an hour",
    { ...base, minutes: 60, changes: Object.keys(shop).map((s, i) => deploy(s, 100 + i * 400)) },
    "no_action",
  ],
  [
    "leaves a deploy alone where more users drive its service into saturation",
    {
      ...base,
      changes: [deploy("stock", 290)],
      effects: Object.keys(shop).map((service) => ({
        service,
        fromS: 300,
        traffic: 1.6,
        latency: service === "stock" ? 3 : 1.3,
        errors: service === "stock" ? 0.05 : 0,
        rampS: 30,
      })),
    },
    "no_action",
  ],
  [
    "leaves a deploy alone when everything is slow at once",
    {
      ...base,
      changes: [deploy("cart", 280)],
      effects: Object.keys(shop).map((service) => ({ service, fromS: 300, latency: 2, spread: 0 })),
    },
    "no_action",
  ],
  [
    "leaves deploys elsewhere alone when an external dependency fails",
    {
      ...base,
      changes: [deploy("stock", 240), deploy("web", 200)],
      effects: [{ service: "pay", fromS: 300, errors: 0.3 }],
    },
    "no_action",
  ],
  [
    "leaves the caller's deploy alone when its callee fails",
    { ...base, changes: [deploy("checkout", 240)], effects: [{ service: "pay", fromS: 300, errors: 0.3 }] },
    "no_action",
  ],
  [
    "lets errors pass that come and go without a rollout",
    { ...base, changes: [deploy("pay", 100)], effects: [{ service: "pay", fromS: 800, toS: 860, errors: 0.2 }] },
    "no_action",
  ],
];

describe("nothing may be taken back", () => {
  for (const [name, options, action, culprit] of TRAPS) it(name, () => walk(options, action, culprit));
});
