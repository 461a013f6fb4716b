import { existsSync } from "node:fs";
import { channelText } from "../../core/config/channel-config.ts";
import { type Config, MODES } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { LedgerHead } from "../../core/ports.ts";
import type { OwnLedger } from "../../knowledge/ledger/sql-ledger.ts";
import type { Hello } from "../../mcp-tools/channel/protocol.ts";
import type { WhoIsAtWork } from "../cli/composition.ts";
import { signingKeyOf } from "./attestation.ts";
import { type Environment, secret } from "./secrets.ts";
import { lockWatch, type WatchLock } from "./watch-lock.ts";

/** What a process that may execute plans is to whoever asks who obeys a pause. */
export type Work = "watch" | "gate" | "mcp";

/**
 * The record itself: of the gate's own process, or of the one process that does both. With a signing key in the file each
 * write signs the end; the key is read when it is first needed. Throws `ledger.unavailable`.
 */
export async function openRecord(config: Config, environment: Environment): Promise<OwnLedger> {
  const { ledger } = config;
  const signingKey = signingKeyOf(config);
  const options = signingKey === null ? {} : { signingKey };
  return ledger.type === "sqlite"
    ? (await import("../../knowledge/ledger/sqlite.ts")).openSqliteLedger(ledger.path, options)
    : (await import("../../knowledge/ledger/postgres.ts")).openPostgresLedger(secret(ledger.url, environment), options);
}

/** What a command that only reads does where no record is there: it makes none, which would pass for a whole one (S1). */
export type WhereNone = "refused" | "empty";

/** The record as it is, for reading; where none is there, an empty one in memory, or `ledger.unavailable` that says so. */
export async function readRecord(
  config: Config,
  environment: Environment,
  none: WhereNone = "refused",
): Promise<OwnLedger> {
  const { ledger } = config;
  if (ledger.type !== "sqlite" || existsSync(ledger.path)) return openRecord(config, environment);
  if (none === "empty") return (await import("../../knowledge/ledger/sqlite.ts")).openSqliteLedger(":memory:");
  const reason = `there is none at ${ledger.path}: nothing was recorded there yet, or it was moved or deleted`;
  throw new UnshipError("ledger.unavailable", { use: "read", reason });
}

/** Signs the end of the record where all of it holds, and closes it again; see `OwnLedger.signEnd`. */
export async function signRecordEnd(config: Config, environment: Environment): Promise<LedgerHead> {
  const record = await readRecord(config, environment);
  return record.signEnd().finally(record.close);
}

/** The right to be the one watch, or gate, of the record. Throws "watch.running" where another has it. */
export function lockRecord({ ledger }: Config, environment: Environment): Promise<WatchLock> {
  return lockWatch(
    ledger.type === "sqlite" ? { file: ledger.path } : { url: secret(ledger.url, environment), name: ON_A_SERVER },
  );
}

/** Says at the record, which has been opened, that this process may execute plans on it; returns how to take it back. */
export async function announceWork(config: Config, environment: Environment, work: Work): Promise<() => Promise<void>> {
  const { ledger } = config;
  const { withdraw } =
    ledger.type === "sqlite"
      ? (await import("../../knowledge/ledger/at-work.ts")).announce(ledger.path, work, config)
      : await (await import("../../knowledge/ledger/postgres-at-work.ts")).announceOnServer(
          secret(ledger.url, environment),
          work,
          config,
        );
  return withdraw;
}

/**
 * Which processes may execute plans on the record at this moment, and so obey its pauses. Where the gate is a process of
 * its own it alone executes, and whoever reads or writes the record has just been answered by it; `gateSays`: what it says
 * that it obeys, null where it does not say. Throws `ledger.unavailable`.
 */
export async function whoIsAtWork(
  { ledger, gate }: Config,
  environment: Environment,
  gateSays: () => Promise<Hello | null>,
): Promise<WhoIsAtWork> {
  if (gate !== undefined) {
    const at = channelText(gate);
    const said = await gateSays();
    const mode = MODES.find((one) => one === said?.mode) ?? null;
    const watched = said?.watched ?? null;
    const obeyed = said?.obeys ?? { modeIsAsked: null, version: null };
    const gateAtWork = { at, mode, watched, ...obeyed };
    return { ledger: `the ledger of the gate at ${at}`, isThere: true, processes: [], gate: gateAtWork };
  }
  if (ledger.type === "sqlite") {
    const { atWork } = await import("../../knowledge/ledger/at-work.ts");
    const isThere = existsSync(ledger.path);
    return { ledger: ledger.path, isThere, processes: isThere ? atWork(ledger.path) : [], gate: null };
  }
  const { atWorkOnServer } = await import("../../knowledge/ledger/postgres-at-work.ts");
  return {
    ledger: ON_A_SERVER,
    isThere: true,
    processes: await atWorkOnServer(secret(ledger.url, environment)),
    gate: null,
  };
}

/** A URL may hold a password: no message quotes it (S10). */
const ON_A_SERVER = "the PostgreSQL ledger";
