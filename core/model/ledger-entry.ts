import { z } from "zod";

/** One line of the append-only record. `hash` = SHA-256 over `prev` and the canonical JSON of the rest. `at`: Unix ms. */
export const LedgerEntry = z.strictObject({
  seq: z.int(),
  at: z.int(),
  kind: z.string(),
  incidentId: z.string().nullable(),
  planId: z.string().nullable(),
  actor: z.string(),
  body: z.unknown(),
  prev: z.string(),
  hash: z.string(),
});
export type LedgerEntry = Readonly<z.infer<typeof LedgerEntry>>;
