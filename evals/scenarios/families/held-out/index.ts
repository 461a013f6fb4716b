import type { Family } from "../../family.ts";
import { chattyCaller } from "./chatty-caller.ts";
import { coldCache } from "./cold-cache.ts";
import { connectionLeak } from "./connection-leak.ts";
import { crawlerWave } from "./crawler-wave.ts";
import { dailyBatch } from "./daily-batch.ts";
import { droppedIndex } from "./dropped-index.ts";
import { expiredCertificate } from "./expired-certificate.ts";
import { farPrimary } from "./far-primary.ts";
import { flagRamp } from "./flag-ramp.ts";
import { formatChange } from "./format-change.ts";
import { heapTooSmall } from "./heap-too-small.ts";
import { logFlood } from "./log-flood.ts";
import { loweredMaximum } from "./lowered-maximum.ts";
import { noisyNeighbour } from "./noisy-neighbour.ts";
import { poisonMessage } from "./poison-message.ts";
import { poolTooSmall } from "./pool-too-small.ts";
import { reconnectHerd } from "./reconnect-herd.ts";
import { releaseTrain } from "./release-train.ts";
import { sharedExpiry } from "./shared-expiry.ts";
import { slowResolver } from "./slow-resolver.ts";
import { switchedOff } from "./switched-off.ts";
import { takenBack } from "./taken-back.ts";
import { timeoutRetries } from "./timeout-retries.ts";
import { vendorLibrary } from "./vendor-library.ts";
import { zoneLoss } from "./zone-loss.ts";

/** Every family that was held out: written by somebody who had not seen a detector, read by nobody before they were frozen. */
export const HELD_OUT: readonly Family[] = [
  chattyCaller,
  coldCache,
  connectionLeak,
  crawlerWave,
  dailyBatch,
  droppedIndex,
  expiredCertificate,
  farPrimary,
  flagRamp,
  formatChange,
  heapTooSmall,
  logFlood,
  loweredMaximum,
  noisyNeighbour,
  poisonMessage,
  poolTooSmall,
  reconnectHerd,
  releaseTrain,
  sharedExpiry,
  slowResolver,
  switchedOff,
  takenBack,
  timeoutRetries,
  vendorLibrary,
  zoneLoss,
];
