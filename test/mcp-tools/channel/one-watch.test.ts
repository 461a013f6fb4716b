import { describe, expect, it } from "vitest";
import { openChannel } from "../../../mcp-tools/channel/client.ts";
import { CHANNEL_TOKEN, openChannelWorld } from "./channel-world.ts";

describe("the one watch of a gate", () => {
  it("keeps others away until it is released", async () => {
    await using channel = await openChannelWorld();
    const first = await channel.agent.holdWatch();
    await expect(channel.as(CHANNEL_TOKEN).holdWatch()).rejects.toMatchObject({ code: "watch.running" });
    await first.release();
    const second = await eventually(() => channel.as(CHANNEL_TOKEN).holdWatch());
    expect(first.lost.aborted).toBe(false);
    await second.release();
  });

  it("goes on over a restart of the gate", async () => {
    await using channel = await openChannelWorld();
    const held = await channel.agent.holdWatch();
    await channel.stop();
    await channel.start();
    await eventually(async () => {
      if (!(await channel.agent.hello()).watched) throw new Error("not back yet");
    });
    expect(held.lost.aborted).toBe(false);
    await held.release();
  });

  it("is lost where another took it meanwhile", async () => {
    await using channel = await openChannelWorld();
    const held = await channel.agent.holdWatch();
    const thief = await eventually(async () => {
      await channel.stop();
      await channel.start();
      return channel.as(CHANNEL_TOKEN).holdWatch();
    });
    await eventually(async () => {
      if (!held.lost.aborted) throw new Error("not told yet");
    });
    await held.release();
    await thief.release();
  });

  it("waits for a gate that is started with it", async () => {
    await using channel = await openChannelWorld();
    await channel.stop();
    const waiting = openChannel({ at: channel.at, where: "the gate", token: CHANNEL_TOKEN });
    const held = waiting.holdWatch();
    await channel.start();
    await (await held).release();
    await waiting.close();
  });
});

/** Tries again until it goes well; the test's own time limit ends it. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
