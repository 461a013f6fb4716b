import { findPostgres } from "../../evals/bench/postgres-server.ts";
import { requireReal } from "../real-component.ts";

export { type PostgresServer, startPostgres } from "../../evals/bench/postgres-server.ts";

/** Whether PostgreSQL's server is on this machine; see `requireReal` for what a missing one means. */
export function hasPostgres(): boolean {
  findPostgres();
  return requireReal("initdb", "postgresql");
}
