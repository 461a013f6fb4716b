import type { Draw } from "../draw.ts";
import type { SystemModel } from "./model.ts";
import { drawSystem, type SystemWishes } from "./system.ts";

/**
 * Several systems that nothing joins: no call, no shared store or external dependency. They share the time of day. A name
 * that an earlier one has is numbered, as a second team's service of the same kind would be.
 */
export function drawIslands(draw: Draw, wishes: SystemWishes, count: number): SystemModel {
  if (count === 1) return drawSystem(draw, wishes);
  const taken = new Set<string>();
  const islands = Array.from({ length: count }, (_, index) => {
    const island = drawSystem(draw.stream(`island/${index}`), wishes);
    const names = new Map(island.services.map(({ name }) => [name, freeName(name, taken)]));
    const named = (name: string) => names.get(name) ?? name;
    return {
      services: island.services.map((service) => ({ ...service, name: named(service.name) })),
      calls: island.calls.map((call) => ({ ...call, caller: named(call.caller), callee: named(call.callee) })),
      traffic: island.traffic,
    };
  });
  const [first] = islands;
  if (first === undefined) throw new RangeError("a world has at least one system");
  return {
    services: islands.flatMap(({ services }) => services),
    calls: islands.flatMap(({ calls }) => calls),
    traffic: first.traffic,
  };
}

/** The name, numbered from 2 on where it is taken; what ends in `-db` still does. Marks it as taken. */
function freeName(name: string, taken: Set<string>): string {
  const [stem, end] = name.endsWith("-db") ? [name.slice(0, -3), "-db"] : [name, ""];
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${stem}-${number}${end}`;
  taken.add(free);
  return free;
}

/** The names of all services that calls join to one, in whatever direction and over however many, itself included. */
export function joinedTo(name: string, { calls }: Pick<SystemModel, "calls">): ReadonlySet<string> {
  const joined = new Set([name]);
  for (let before = 0; before < joined.size; ) {
    before = joined.size;
    for (const { caller, callee } of calls) {
      if (joined.has(caller)) joined.add(callee);
      if (joined.has(callee)) joined.add(caller);
    }
  }
  return joined;
}
