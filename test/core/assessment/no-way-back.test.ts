import { expect, it } from "vitest";
import { testConfig } from "./config.ts";
import { replay } from "./replay.ts";
import { base } from "./trap.ts";
import { createWorld, deploy } from "./world.ts";

/** The version before the bad one stood for five minutes, and nothing before that is known. */
const world = () =>
  createWorld({
    ...base,
    seed: 7,
    changes: [
      deploy("cart", 100, { from: "", to: "v1.1.0" }),
      deploy("cart", 400, { from: "v1.1.0", to: "v1.2.0", author: "ada" }),
    ],
    effects: [{ service: "cart", fromS: 410, errors: 0.3, rampS: 110 }],
  });

it("a culprit without a known-good version before it is for people, with a hotfix recommendation", async () => {
  const { acting } = await replay(world(), testConfig());
  expect(acting?.decision).toMatchObject({
    action: "hotfix_recommendation",
    changeIds: [],
    culprit: { changeId: "deploy-cart-400" },
    needsPerson: [expect.stringMatching(/no known-good version of cart: v1\.1\.0 served for 5m only/)],
    hotfix: {
      changeId: "deploy-cart-400",
      changeIds: ["deploy-cart-400"],
      owner: "ada",
      whyNoRollback: expect.stringContaining("no known-good version"),
    },
  });
  expect(acting?.targets).toEqual([]);
});

it("where policy may not choose a hotfix recommendation nothing is done, and the reason is said", async () => {
  const { chain } = testConfig();
  const choices = ["rollback", "feature_flag_disable", "no_action"];
  const config = testConfig({
    chain: chain.map((one) => (one.step === "recommend_action" ? { ...one, choices } : one)),
  });
  const { last } = await replay(world(), config);
  expect(last?.decision).toMatchObject({ action: "no_action", hotfix: null });
  expect(last?.decision.needsPerson.join()).toContain("no known-good version");
});
