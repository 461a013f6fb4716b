import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ending, killAndGoOn } from "../mcp-tools/gate/kills/endings.ts";
import { startThree } from "../mcp-tools/gate/kills/three.ts";
import { type Death, type Life, PLACES, timesAt } from "../mcp-tools/gate/kills/victim.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../real/postgres.ts";

/** Every moment of a plan of three targets, killed with SIGKILL; what `test/mcp-tools/gate/kills/` samples. */
const every = PLACES.flatMap((place) =>
  Array.from({ length: timesAt(place) }, (_, index) => ({ place, nth: index + 1 })),
);
const STOPS: readonly Ending[] = ["is paused", "meets a newer version", "comes too late"];
/** Instants spread over the life of the process, its start included. */
const INSTANTS = Array.from({ length: 40 }, (_, index) => 100 + index * 20);

async function killed(death: Death, ending: Ending, ledger?: { readonly url: string }, again?: Death): Promise<Life> {
  await using three = await startThree(ledger);
  return await killAndGoOn(three, death, ending, again);
}

describe.concurrent("S5: a process that takes three services back, and is killed", () => {
  it.each(every)("at $place $nth, and it goes on", async (moment) => {
    expect(await killed(moment, "goes on")).toMatchObject({ killed: true });
  });

  it.each(every.map((moment, index) => [moment, STOPS[index % STOPS.length] ?? "is paused"] as const))(
    "at %o, and %s",
    async (moment, ending) => {
      expect(await killed(moment, ending)).toMatchObject({ killed: true });
    },
  );

  it.each(every.filter(({ place }) => place.startsWith("write") || place.startsWith("inside")))(
    "in its second target, and its successor at $place $nth",
    async (again) => {
      await killed({ place: "write arrives", nth: 2 }, "goes on", undefined, again);
    },
  );

  it.each(INSTANTS)("%i ms after its start", async (afterMs) => {
    await killed({ afterMs }, "goes on");
  });
});

describe.skipIf(!hasPostgres())("S5: the same with a ledger on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(every.filter(({ place }) => place !== "read"))("at $place $nth, and it goes on", async (moment) => {
    const life = await killed(moment, "goes on", { url: await server.freshLedger() });
    expect(life).toMatchObject({ killed: true });
  });
});
