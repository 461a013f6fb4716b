import { describe, expect, it } from "vitest";
import { policyOf, serviceOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld } from "./gate-world.ts";

describe("the name of a pause", () => {
  it.each([
    ["xai-inference-gateway-v2"],
    ["pypi-mirror-cache-2"],
    ["sk-checkoutservice2"],
    ["xai-abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefgh"],
    ["AKIAIOSFODNN7ABCDEFG"],
  ])("S14: the service %s of the file is paused, held and resumed under its own name", async (service) => {
    const services = { [service]: serviceOf({ workload: { kind: "Deployment", name: "checkout" } }) };
    await using world = await openWorld({ config: policyOf({ services }) });
    await world.gate.pause(service, "cli:zoe");
    expect((await world.store.pauses()).map(({ scope }) => scope)).toEqual([service]);
    expect((await world.gate.propose(world.draft())).review.verdict).toBe("deny");
    expect(await world.gate.resume(service, ALICE_TOKEN)).toEqual({ by: "alice" });
    expect(await world.store.pauses()).toEqual([]);
  });

  it("S10: nothing is paused under what looks like a secret, which is said", async () => {
    await using world = await openWorld();
    const secret = "sk-ant-api03-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW";
    await expect(world.gate.pause(secret, "zoe")).rejects.toMatchObject({
      code: "input.invalid",
      message: expect.stringContaining("resembles a secret; name a service, or *"),
    });
    expect(await world.store.pauses()).toEqual([]);
    await expect(world.gate.resume(secret, ALICE_TOKEN)).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("a name with marks that nobody sees is paused and resumed by what people see", async () => {
    await using world = await openWorld();
    await world.gate.pause("check\u200bout", "zoe");
    expect(await world.gate.resume("check\u200bout", ALICE_TOKEN)).toEqual({ by: "alice" });
    expect(await world.store.pauses()).toEqual([]);
  });
});
