import type { Family } from "../../family.ts";
import { burstCredits } from "./burst-credits.ts";
import { costlierHash } from "./costlier-hash.ts";
import { deletedTenants } from "./deleted-tenants.ts";
import { erodingCache } from "./eroding-cache.ts";
import { fullHour } from "./full-hour.ts";
import { fullQueue } from "./full-queue.ts";
import { halfScraped } from "./half-scraped.ts";
import { handshakeEachCall } from "./handshake-each-call.ts";
import { headerLimit } from "./header-limit.ts";
import { invoiceRun } from "./invoice-run.ts";
import { mixedSessions } from "./mixed-sessions.ts";
import { nodeUpgrades } from "./node-upgrades.ts";
import { oneOldClient } from "./one-old-client.ts";
import { oversizedFile } from "./oversized-file.ts";
import { renameDeadlock } from "./rename-deadlock.ts";
import { scannerVisit } from "./scanner-visit.ts";
import { smallWrites } from "./small-writes.ts";
import { spentAllowance } from "./spent-allowance.ts";
import { spinningClocks } from "./spinning-clocks.ts";
import { streamContention } from "./stream-contention.ts";
import { thirdReader } from "./third-reader.ts";
import { upstreamNetwork } from "./upstream-network.ts";
import { vendorThrottles } from "./vendor-throttles.ts";
import { wraparoundStop } from "./wraparound-stop.ts";

/** The second set of families that were held out, written by somebody who had seen neither a detector nor a score. */
export const HELD_OUT_B: readonly Family[] = [
  burstCredits,
  costlierHash,
  deletedTenants,
  erodingCache,
  fullHour,
  fullQueue,
  halfScraped,
  handshakeEachCall,
  headerLimit,
  invoiceRun,
  mixedSessions,
  nodeUpgrades,
  oneOldClient,
  oversizedFile,
  renameDeadlock,
  scannerVisit,
  smallWrites,
  spentAllowance,
  spinningClocks,
  streamContention,
  thirdReader,
  upstreamNetwork,
  vendorThrottles,
  wraparoundStop,
];
