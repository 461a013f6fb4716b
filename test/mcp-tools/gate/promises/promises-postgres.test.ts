import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresLedger } from "../../../../knowledge/ledger/postgres.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../../real/postgres.ts";
import { NOTHING_PLAYED, sequences } from "./play.ts";

/** Few by default, since each has a database of its own; UNSHIP_SEQUENCES draws as many new ones. */
const DRAWN = process.env.UNSHIP_SEQUENCES;
const RUN = DRAWN === undefined ? { numRuns: 8, seed: 1 } : { numRuns: Number(DRAWN) };

describe.skipIf(!hasPostgres())("S1–S9, S13 on PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("any sequence ends at each step as the model says", async () => {
    const played = { ...NOTHING_PLAYED };
    await fc.assert(
      sequences(played, async (clock) => openPostgresLedger(await server.freshLedger(), { clock })),
      RUN,
    );
    if (DRAWN !== undefined) console.info(JSON.stringify(played));
    expect(played.executed).toBeGreaterThan(0);
  }, 3_600_000);
});
