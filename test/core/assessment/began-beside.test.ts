import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, noBank, type Trap, walk } from "./trap.ts";
import { deploy, type Effect } from "./world.ts";

/** Pay and cart are siblings: neither calls the other, nor what the other calls. All that they call is measured. */
const world = { ...base, ...noBank };
const failing = (service: string, fromS: number, errors = 0.3): Effect => ({ service, fromS, errors });
/** Both versions of a service side by side for four minutes, of which the new one alone fails. */
const told = (service: string, fromS: number) => ({
  service,
  fromS,
  toS: fromS + 240,
  old: "v1.0.0",
  fresh: "v1.1.0",
  share: () => 0.5,
  oldErrors: 0.002,
  freshErrors: 0.6,
});

const TRAPS: readonly Trap[] = [
  [
    "leaves a deploy to people where a sibling that it cannot reach begins to fail in the same sample",
    { ...world, changes: [deploy("pay", 300, {}, 60)], effects: [failing("pay", 330), failing("cart", 330)] },
    "no_action",
  ],
  [
    "leaves it to people where both only turn slow",
    {
      ...world,
      changes: [deploy("pay", 300, {}, 60)],
      effects: ["pay", "cart"].map((service) => ({ service, fromS: 330, latency: 6 })),
    },
    "no_action",
  ],
  [
    "leaves it to people where its rollout was over before",
    { ...world, changes: [deploy("pay", 150, {}, 60)], effects: [failing("pay", 330), failing("cart", 330)] },
    "no_action",
  ],
  [
    "leaves both deploys to people where both siblings were deployed and nothing tells their versions",
    {
      ...world,
      changes: [deploy("pay", 290, {}, 60), deploy("cart", 300, {}, 60)],
      effects: [failing("pay", 330), failing("cart", 330)],
    },
    "no_action",
  ],
  [
    "takes a deploy back alone as ever",
    { ...world, changes: [deploy("pay", 300, {}, 60)], effects: [failing("pay", 330)] },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "takes it back beside a sibling that began minutes before",
    { ...world, changes: [deploy("pay", 600, {}, 60)], effects: [failing("cart", 200, 0.1), failing("pay", 620)] },
    "rollback",
    "deploy-pay-600",
  ],
  [
    "takes it back with its callers, which fail in the same sample",
    { ...world, changes: [deploy("stock", 300, {}, 60)], effects: [failing("stock", 330)] },
    "rollback",
    "deploy-stock-300",
  ],
  [
    "takes it back beside the sibling where its own new version alone fails",
    {
      ...world,
      changes: [deploy("pay", 300, {}, 240)],
      effects: [failing("pay", 330), failing("cart", 330)],
      versions: [told("pay", 330)],
    },
    "rollback",
    "deploy-pay-300",
  ],
];

describe("a change beside a sibling that begins to fail with it", () => {
  for (const [name, options, action, culprit] of TRAPS) it(name, () => walk(options, action, culprit));

  it("is told to people with what began beside it and what was changed there", async () => {
    const changes = [deploy("pay", 290, {}, 60), deploy("cart", 300, {}, 60)];
    const both = { ...world, changes, effects: [failing("pay", 330), failing("cart", 330)], seed: 7 };
    const { decision } = assess(await caseAt(both, 420), testConfig(), ["pay"]);
    expect(decision.why[0]).toMatch(/cart.* \(deploy-cart-300\).* and pay.* \(deploy-pay-290\) began/);
  });

  it("is not said to have begun with it where only the sibling fails", async () => {
    const alone = { ...world, changes: [deploy("pay", 290, {}, 60)], effects: [failing("cart", 330)], seed: 7 };
    const { decision } = assess(await caseAt(alone, 420), testConfig(), ["cart"]);
    expect(decision.why[0]).toMatch(/^no known call joins «?cart»? to where «?deploy-pay-290»? was changed/);
  });
});
