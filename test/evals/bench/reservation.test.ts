import { expect, it } from "vitest";
import { benchReservation } from "../../../evals/bench/reservation.ts";

it("times as many permitted reservations as inserts, in processes of their own, and compares their tails", async () => {
  const { processes, bare, patient, reservation, ratio } = await benchReservation({ processes: 2, each: 2, rounds: 1 });
  expect(processes).toBe(2);
  for (const { count, p50, p99 } of [bare, patient, reservation]) {
    expect(count).toBe(4);
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
  }
  expect(ratio).toBeCloseTo(reservation.p99 / Math.min(bare.p99, patient.p99));
}, 60_000);
