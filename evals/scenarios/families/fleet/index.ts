import type { Family } from "../../family.ts";
import { chronicBeside } from "./chronic-beside.ts";
import { chronicInnocentDeploy } from "./chronic-innocent-deploy.ts";
import { chronicOwnDeploy } from "./chronic-own-deploy.ts";
import { comesAndGoes } from "./comes-and-goes.ts";
import { drainAndDeploy } from "./drain-and-deploy.ts";
import { edgelessCoincidence } from "./edgeless-coincidence.ts";
import { edgelessOwnDeploy } from "./edgeless-own-deploy.ts";
import { failingCaller } from "./failing-caller.ts";
import { joinedOwnDeploys } from "./joined-own-deploys.ts";
import { lostNodeBeside } from "./lost-node-beside.ts";
import { oneCommitBad } from "./one-commit-bad.ts";
import { oneCommitInnocent } from "./one-commit-innocent.ts";
import { quietServiceBad } from "./quiet-service-bad.ts";
import { wideOutage } from "./wide-outage.ts";

/**
 * What a fleet of many services meets: something is always degraded somewhere, several things break at once, many are deployed. Seen while
 * the detectors are made, like those in the folder above, and a set of their own, so that figures of those stay comparable.
 */
export const FLEET: readonly Family[] = [
  chronicBeside,
  chronicInnocentDeploy,
  chronicOwnDeploy,
  comesAndGoes,
  drainAndDeploy,
  edgelessCoincidence,
  edgelessOwnDeploy,
  failingCaller,
  joinedOwnDeploys,
  lostNodeBeside,
  oneCommitBad,
  oneCommitInnocent,
  quietServiceBad,
  wideOutage,
];
