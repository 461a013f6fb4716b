import { describe, expect, it } from "vitest";
import { testConfig } from "./config.ts";
import { replay } from "./replay.ts";
import { base } from "./trap.ts";
import { createWorld, deploy, type WorldOptions } from "./world.ts";

/** A new version that nobody declared a canary gets a fiftieth of the traffic for twenty minutes and fails 6 % of it. */
const hidden = (fresh: number, old = 0.002): WorldOptions => ({
  ...base,
  services: { ...base.services, cart: { rate: 400 } },
  minutes: 20,
  seed: 7,
  changes: [deploy("cart", 200, { finishedAt: null })],
  effects: [{ service: "cart", fromS: 200, errors: 0.02 * (fresh - old) }],
  versions: [
    {
      service: "cart",
      fromS: 200,
      toS: 1200,
      old: "v1.0.0",
      fresh: "v1.1.0",
      share: () => 0.02,
      oldErrors: old,
      freshErrors: fresh,
    },
  ],
});

const ends = async (options: WorldOptions) => {
  const world = createWorld(options);
  return replay(world, testConfig({ watch: { stepMs: world.stepMs } }));
};

describe("a new version with a fiftieth of the traffic", () => {
  it("that fails is taken back, although the service as a whole is as usual", async () => {
    const { acting } = await ends(hidden(0.06));
    expect(acting?.decision).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-200"], automatic: true });
    expect(acting?.decision.why.join(" ")).toContain("while both served");
    const told = acting?.findings.find(({ service, verdict }) => service === "cart" && verdict === "worse");
    expect(told?.detector).toBe("version");
  });

  it("that is as good as the old one is left alone", async () => {
    expect((await ends(hidden(0.002))).acting).toBeNull();
  });

  it("is not seen without series by version: then nothing is claimed", async () => {
    expect((await ends({ ...hidden(0.06), versions: [] })).acting).toBeNull();
  });
});
