import { expect, it } from "vitest";
import { allot } from "../../../agent/watch/allotting.ts";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { assessmentOf } from "../../core/guardrails/rule-inputs.ts";

const incident = (id: string, services: readonly string[]): Incident => ({
  ...openIncident(id, { ...assessmentOf({ targets: [] }), baselines: [] }),
  service: services[0] ?? "",
  affectedServices: [...services],
  trouble: [...services],
});
const ids = ({ merged }: ReturnType<typeof allot>) => merged.map(({ from, into }) => `${from.id} in ${into.id}`);

it.each([
  ["that which holds most of the services, though it is the younger", ["a"], ["b", "c", "d"], "old in young"],
  ["the older of two that hold as many", ["a", "b"], ["c", "d"], "young in old"],
  ["the older where it holds more", ["a", "b", "c"], ["d"], "young in old"],
])("of two incidents that became one, %s goes on", (_, older, younger, expected) => {
  const open = [incident("old", older), incident("young", younger)];
  const found = allot(open, [["a", "b", "c", "d"]], new Map());
  expect(ids(found)).toEqual([expected]);
  expect([...found.homes.values()]).toEqual([["a", "b", "c", "d"]]);
  expect(found.rest).toEqual([]);
});
