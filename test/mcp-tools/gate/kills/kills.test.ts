import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPostgres, type PostgresServer, startPostgres } from "../../../real/postgres.ts";
import { SERVICES } from "./acting.ts";
import { type Ending, killAndGoOn } from "./endings.ts";
import { startThree, type Three } from "./three.ts";
import { type Moment, PLACES, timesAt } from "./victim.ts";

/**
 * Real processes and real SIGKILL: a plan of three targets, carried out by the product's own executor against an imitated
 * cluster, from a ledger on disk. A few moments, one of each kind; `test/long/kills.test.ts` has them all.
 */
const SEED = Number(process.env.UNSHIP_SEED ?? 4711);
const ENDINGS = ["goes on", "is paused", "goes on", "meets a newer version", "goes on", "comes too late"] as const;

const moments = PLACES.map((place, index): readonly [string, Moment, Ending] => {
  const nth = 1 + ((Math.imul(SEED + index, 2_654_435_761) >>> 8) % timesAt(place));
  const ending = ENDINGS[index % ENDINGS.length] ?? "goes on";
  return [`${place} ${nth}, and ${ending}`, { place, nth }, ending];
});

const inThree = async (run: (three: Three) => Promise<void>, ledger?: { readonly url: string }) => {
  await using three = await startThree(ledger);
  await run(three);
};

describe.concurrent("S5: a process that takes three services back, and is killed", () => {
  it("comes by these places where it is not", () =>
    inThree(async (three) => {
      const { came } = await three.live(null);
      expect(three.written()).toEqual(SERVICES);
      await three.expectTruth();
      for (const place of PLACES) expect(came.get(place), place).toBeGreaterThanOrEqual(timesAt(place));
      await three.live(null, { again: true });
      expect(three.written(), "there is no fourth").toEqual(SERVICES);
    }));

  it.each(moments)("at %s", (_, moment, ending) =>
    inThree(async (three) => {
      expect(await killAndGoOn(three, moment, ending)).toMatchObject({ killed: true });
    }),
  );

  it("twice, the second time with a write on the way from its recovery", () =>
    inThree(async (three) => {
      await killAndGoOn(three, { place: "write lost", nth: 2 }, "goes on", { place: "write arrives", nth: 1 });
    }));

  it("at any instant", () =>
    inThree(async (three) => {
      await killAndGoOn(three, { afterMs: 300 + (SEED % 400) }, "goes on");
    }));

  it("with a write that comes only after its successor's: the API refuses it", () =>
    inThree(async (three) => {
      const { promise: late, resolve: deliver } = Promise.withResolvers<void>();
      expect(await three.live({ place: "write late", nth: 2 }, { late })).toMatchObject({ killed: true });
      expect(three.written()).toEqual(["web"]);
      await three.expectTruth();
      await three.live(null, { again: true, late });
      expect(three.written()).toEqual(SERVICES);
      expect(three.refused()).toEqual([]);
      deliver();
      await three.quiet();
      expect(three.refused()).toHaveLength(1);
      expect(three.written()).toEqual(SERVICES);
      await three.expectTruth();
    }));
});

describe.skipIf(!hasPostgres())("S5: the same with a ledger on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    ["inside transaction", 6, "goes on"],
    ["write arrives", 2, "is paused"],
  ] as const)("at %s %i, and %s", async (place, nth, ending) => {
    await inThree(
      async (three) => void expect(await killAndGoOn(three, { place, nth }, ending)).toMatchObject({ killed: true }),
      { url: await server.freshLedger() },
    );
  });
});
