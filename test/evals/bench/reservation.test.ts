import { describe, expect, it } from "vitest";
import { startPostgres } from "../../../evals/bench/postgres-server.ts";
import { benchReservation } from "../../../evals/bench/reservation.ts";
import { hasPostgres } from "../../real/postgres.ts";

describe("the benchmark of a reservation", () => {
  it("times as many permitted reservations as inserts, in processes of their own, and compares their tails", async () => {
    const { processes, bare, patient, reservation, ratio } = await benchReservation({
      processes: 2,
      each: 2,
      rounds: 1,
    });
    expect(processes).toBe(2);
    for (const quantiles of [bare, patient, reservation]) {
      expect(quantiles?.count).toBe(4);
      expect(quantiles?.p50).toBeGreaterThan(0);
      expect(quantiles?.p99).toBeGreaterThanOrEqual(quantiles?.p50 ?? 0);
    }
    expect(ratio).toBeCloseTo(reservation.p99 / Math.min(bare.p99, patient?.p99 ?? 0));
  });

  it.skipIf(!hasPostgres())("does the same on a server", async () => {
    await using server = await startPostgres();
    const url = await server.freshLedger();
    const { bare, patient, reservation, ratio } = await benchReservation({ processes: 2, each: 2, rounds: 1, url });
    expect([bare.count, patient, reservation.count]).toEqual([4, null, 4]);
    expect(ratio).toBeCloseTo(reservation.p99 / bare.p99);
  });
});
