import type { BenchOutcome } from "./catalog.ts";
import { findPostgres, startPostgres } from "./postgres-server.ts";
import { benchReservation, type Quantiles, type ReservationFigures } from "./reservation.ts";

/** Processes at one store at the same time: alone, as one watch is, and as the claim has it. */
const PROCESSES = [1, 4];

/**
 * The gate's reservation beside a bare durable insert under the same number of processes, on SQLite and, where the
 * machine has it, on a private PostgreSQL. `each`: reservations that each process makes a round. A store that is
 * missing is not measured, is said, and the claim is then not met.
 */
export async function benchGate(each = 50): Promise<BenchOutcome> {
  const lines = ["store       processes  bare insert p50/p99  reservation p50/p99  ratio of p99 (at most 3)"];
  const sqlite = await measure(each);
  lines.push(...sqlite.map((one) => line("SQLite", one)));
  if (!findPostgres()) {
    lines.push("PostgreSQL  not measured: it is not installed (apt-get install postgresql)");
    return { lines, value: { sqlite, postgres: null }, met: false };
  }
  await using server = await startPostgres();
  const postgres = await measure(each, () => server.freshLedger());
  lines.push(...postgres.map((one) => line("PostgreSQL", one)));
  return { lines, value: { sqlite, postgres }, met: [...sqlite, ...postgres].every(({ met }) => met) };
}

async function measure(each: number, fresh?: () => Promise<string>): Promise<readonly ReservationFigures[]> {
  const figures: ReservationFigures[] = [];
  for (const processes of PROCESSES) {
    const url = fresh === undefined ? {} : { url: await fresh() };
    figures.push(await benchReservation({ processes, each, ...url }));
  }
  return figures;
}

function line(store: string, { processes, bare, patient, reservation, ratio, met }: ReservationFigures): string {
  const quicker = patient !== null && patient.p99 < bare.p99 ? patient : bare;
  const text = ({ p50, p99 }: Quantiles) => `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`.padEnd(19);
  return [
    store.padEnd(10),
    String(processes).padEnd(9),
    text(quicker),
    text(reservation),
    `${ratio.toFixed(1)}${met ? "" : ": not met"}`,
  ].join("  ");
}
