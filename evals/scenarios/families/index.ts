import type { Family } from "../family.ts";
import { badConfig } from "./bad-config.ts";
import { badDeployCpu } from "./bad-deploy-cpu.ts";
import { badDeployCrashLoop } from "./bad-deploy-crash-loop.ts";
import { badDeployErrors } from "./bad-deploy-errors.ts";
import { badDeployLatency } from "./bad-deploy-latency.ts";
import { badDeployLeak } from "./bad-deploy-leak.ts";
import { badFlag } from "./bad-flag.ts";
import { badMigration } from "./bad-migration.ts";
import { blip } from "./blip.ts";
import { busyDay } from "./busy-day.ts";
import { canaryBad } from "./canary-bad.ts";
import { coordinatedRequires } from "./coordinated-requires.ts";
import { crowdedDeploys } from "./crowded-deploys.ts";
import { deadNode } from "./dead-node.ts";
import { decoyCallee } from "./decoy-callee.ts";
import { decoyCaller } from "./decoy-caller.ts";
import { decoyNeighbour } from "./decoy-neighbour.ts";
import { delayedEffect } from "./delayed-effect.ts";
import { deployDuringIncident } from "./deploy-during-incident.ts";
import { deployFixes } from "./deploy-fixes.ts";
import { externalOutage } from "./external-outage.ts";
import { gradualRollout } from "./gradual-rollout.ts";
import { harmlessRestarts } from "./harmless-restarts.ts";
import { irreversibleDeploy } from "./irreversible-deploy.ts";
import { lowTrafficNoise } from "./low-traffic-noise.ts";
import { noisyLogs } from "./noisy-logs.ts";
import { olderThanChanges } from "./older-than-changes.ts";
import { scrapeGap } from "./scrape-gap.ts";
import { seasonalPeak } from "./seasonal-peak.ts";
import { selfRecovery } from "./self-recovery.ts";
import { slowInfrastructure } from "./slow-infrastructure.ts";
import { storeOverload } from "./store-overload.ts";
import { stuckRollout } from "./stuck-rollout.ts";
import { trafficSurge } from "./traffic-surge.ts";
import { twoGuilty } from "./two-guilty.ts";

/** Every family. A new one is a file here and a line below. */
export const FAMILIES: readonly Family[] = [
  badConfig,
  badDeployCpu,
  badDeployCrashLoop,
  badDeployErrors,
  badDeployLatency,
  badDeployLeak,
  badFlag,
  badMigration,
  blip,
  busyDay,
  canaryBad,
  coordinatedRequires,
  crowdedDeploys,
  deadNode,
  decoyCallee,
  decoyCaller,
  decoyNeighbour,
  delayedEffect,
  deployDuringIncident,
  deployFixes,
  externalOutage,
  gradualRollout,
  harmlessRestarts,
  irreversibleDeploy,
  lowTrafficNoise,
  noisyLogs,
  olderThanChanges,
  scrapeGap,
  seasonalPeak,
  selfRecovery,
  slowInfrastructure,
  storeOverload,
  stuckRollout,
  trafficSurge,
  twoGuilty,
];
