import { describe, it } from "vitest";
import { base, walk } from "./trap.ts";
import { deploy } from "./world.ts";

const chronic = { service: "cart", fromS: -3000, errors: 0.03, spread: 0 };
const worseFrom = (fromS: number) => ({ service: "cart", fromS, errors: 0.4, rampS: 60 });
const world = { ...base, minutes: 30 };
const versions = (freshErrors: number) => [
  {
    service: "cart",
    fromS: 900,
    toS: 1200,
    old: "v1.0.0",
    fresh: "v1.1.0",
    share: (s: number) => Math.min(1, Math.max(0, s - 900) / 240),
    oldErrors: 0.033,
    freshErrors,
  },
];

describe("a service that has been degraded for long", () => {
  it("does not hide its own bad deploy, whose version is seen to fail", () =>
    walk(
      {
        ...world,
        changes: [deploy("cart", 900, {}, 240)],
        effects: [chronic, { ...worseFrom(905), rampS: 240 }],
        versions: versions(0.43),
      },
      "rollback",
      "deploy-cart-900",
    ));

  it("is no reason to undo a deploy that changes nothing", () =>
    walk({ ...world, changes: [deploy("cart", 900)], effects: [chronic] }, "no_action"));
});
