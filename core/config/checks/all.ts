import { canaryConfidenceCanBeReached, canaryJudgeIsChosen, kayentaNamesAreUsed, kayentaScoresFit } from "./canary.ts";
import {
  actionTextsAreRead,
  expressionsAreSound,
  stepKeysHaveTheirEffect,
  stepsAreInOrder,
  stepsAreKnown,
} from "./chain.ts";
import type { Check } from "./check.ts";
import { gateAnswersSomewhere, gateHasItsOwnCredentials } from "./gate.ts";
import { metricsAreKnown, queriesAreUsed, queryUnitsFit } from "./metrics.ts";
import {
  actionsDoNotOverlap,
  canaryIsSpelled,
  feedbackStandsOnce,
  notificationKindsExist,
  scopesAreNames,
} from "./policies.ts";
import { quotesArePlain, referencesAreSpelled, secretFilesAreReferences } from "./references.ts";
import { scrapeCanReadItsQueries, scrapeHasTargets } from "./scrape.ts";
import {
  accessTokensApproveNothing,
  issuerAndApproversFit,
  serverTokensApproveNothing,
  serverTokensAreDistinct,
  slackAndApproversFit,
} from "./server.ts";
import {
  approversAreDistinct,
  approversServicesExist,
  externalNodesAreInTheGraph,
  protectedNamesMatch,
} from "./setup.ts";
import { migrationsAreDistinct, oneSystemOfEachKind } from "./sources.ts";
import {
  boundsLeaveRoom,
  comparisonsPointTheRightWay,
  durationsFitTheWindow,
  thresholdsFitTheirUnit,
} from "./thresholds.ts";

/** Every check that spans fields; all run, whatever the schema has found. */
export const CHECKS: readonly Check[] = [
  metricsAreKnown,
  queriesAreUsed,
  queryUnitsFit,
  boundsLeaveRoom,
  comparisonsPointTheRightWay,
  thresholdsFitTheirUnit,
  durationsFitTheWindow,
  canaryIsSpelled,
  canaryJudgeIsChosen,
  canaryConfidenceCanBeReached,
  kayentaNamesAreUsed,
  kayentaScoresFit,
  notificationKindsExist,
  actionsDoNotOverlap,
  scopesAreNames,
  feedbackStandsOnce,
  stepsAreKnown,
  stepsAreInOrder,
  stepKeysHaveTheirEffect,
  actionTextsAreRead,
  expressionsAreSound,
  approversAreDistinct,
  approversServicesExist,
  protectedNamesMatch,
  externalNodesAreInTheGraph,
  scrapeHasTargets,
  scrapeCanReadItsQueries,
  oneSystemOfEachKind,
  migrationsAreDistinct,
  serverTokensAreDistinct,
  serverTokensApproveNothing,
  accessTokensApproveNothing,
  issuerAndApproversFit,
  slackAndApproversFit,
  gateAnswersSomewhere,
  gateHasItsOwnCredentials,
];

/** How a text is spelled. What else the checks say of the same text follows from that. */
export const SPELLING: readonly Check[] = [referencesAreSpelled, secretFilesAreReferences, quotesArePlain];
