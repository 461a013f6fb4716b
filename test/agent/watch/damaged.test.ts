import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld } from "./watch-world.ts";

it.each([
  ["its row", "update incidents set body = '{}' where id like 'inc-cart%'", 2],
  [
    "its row and its entries",
    `drop trigger entries_never_change; update incidents set body = '{' where id like 'inc-cart%';
     update entries set body = '{' where incident_id like 'inc-cart%' and kind = 'incident.saved'`,
    1,
  ],
])("S16: an incident that is damaged (%s) keeps the watch from no other one, and is named", async (_, sql, open) => {
  await using world = await openWatchWorld({ onDisk: true });
  world.troubles = ["cart", "checkout"].map((name) =>
    world.trouble({ policy: "human_review", needsPerson: ["look"] }, targetOf({ name })),
  );
  await world.step();
  expect(world.watch.open()).toHaveLength(2);
  const database = new DatabaseSync(world.ledgerPath);
  database.exec(sql);
  database.close();
  await world.restart();
  expect(world.texts("incident.damaged")).toEqual([
    expect.stringMatching(/^incident inc-cart\S*: its row is damaged.*; the others go on\. Run: unship audit verify$/),
  ]);
  expect(world.texts("watch.started").at(-1)).toMatch(
    /open incidents taken up again: .*inc-checkout.*; damaged: inc-cart/,
  );
  expect(world.watch.open()).toHaveLength(open);
  world.troubles = world.troubles.filter(({ services }) => services.includes("checkout"));
  const events = world.events.length;
  await world.step(2);
  expect(world.events.slice(events).filter(({ event }) => event === "tick.failed")).toEqual([]);
});
