import type { WatchWorld } from "../watch/watch-world.ts";

/** Lets an incident begin whose plan waits for a person; the plan's id. */
export async function heldPlanOf(world: WatchWorld): Promise<string> {
  world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
  await world.step();
  return (await world.incident()).plan?.id ?? "none";
}
