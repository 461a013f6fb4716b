import type { ApprovalPolicy, Config, FreezeWindow } from "../config.ts";
import { formatDuration } from "../durations.ts";
import { listed, plural, type Section } from "./words.ts";

/** What makes a person look first because of how much a plan touches, or how little speaks for it. */
export function sizeLines({ blastRadius, evidenceKinds, approval }: Config): readonly string[] {
  const { services, trafficShare, replicas } = blastRadius;
  return [
    ...(services === null ? [] : [`- one plan touches more than ${plural(services, "service")}`]),
    ...(trafficShare === null
      ? []
      : [`- the services of one plan serve more than ${trafficShare * 100} % of all requests, or how much is unknown`]),
    ...(replicas === null ? [] : [`- one plan replaces more than ${plural(replicas, "pod")}, or how many is unknown`]),
    "- the version to restore has less CPU or memory than the present one, or which of both has more is unknown, or a migration ran between them",
    "- an application or flag reaches a service that is listed under never_auto_rollback or that this file does not describe",
    ...(evidenceKinds === 1 ? [] : [`- fewer than ${evidenceKinds} kinds of evidence speak against the change`]),
    ...approval.twoPersons.map((one) => `- ${twoPersonWords(one)}; then two different people have to approve`),
  ];
}

function twoPersonWords({ services, actions, criticality }: ApprovalPolicy["twoPersons"][number]): string {
  const what = [
    ...(actions === null ? [] : [`is ${listed(actions, "or")}`]),
    ...(services === null ? [] : [`touches ${listed(services, "or")}`]),
    ...(criticality === null
      ? []
      : [`touches a service of ${criticality} importance or more (one that the file does not describe counts)`]),
  ];
  return `a plan ${listed(what)}`;
}

/** Freeze windows, and what each means for rollbacks. */
export function explainFreezes({ freezeWindows }: Config): Section {
  const none = "None: the file names no freeze_windows, so it may act at any hour.";
  return {
    heading: "Freezes",
    lines: freezeWindows.length === 0 ? [none] : freezeWindows.map(freezeWords),
  };
}

function freezeWords({ name, cron, timeZone, durationMs, services, rollbacks }: FreezeWindow): string {
  const whom = services === null ? "every service" : listed(services);
  return `${name}, for ${whom}, from each "${cron}" (${timeZone}) for ${formatDuration(durationMs)}: ${FREEZES[rollbacks]}.`;
}

const FREEZES: Readonly<Record<FreezeWindow["rollbacks"], string>> = {
  allow: "rollbacks go on as at any time",
  approve: "each rollback needs a person",
  deny: "nothing is rolled back, not even with a person's approval",
};

/** What a service has to show before more freedom is suggested. */
export function graduationLine({ graduation }: Config): string {
  const { approveAfterProposals: proposals, autoAfterRecovered: recovered } = graduation;
  return `\`unship status\` suggests mode approve for a service after ${plural(proposals, "incident")} in which it named a rollback, and mode auto after ${plural(recovered, "approved rollback")} in a row that brought recovery; a rejected one starts the row anew. Only people change the mode, in this file.`;
}

/** How people who do not answer are reminded, and who is next in line. */
export function askingLines({ approval }: Config): readonly string[] {
  const steps = approval.escalate.map(({ afterMs, to }) => `${listed(to)} after ${formatDuration(afterMs)}`);
  return [
    `Who was asked is reminded after ${formatDuration(approval.remindAfterMs)}; ${steps.length === 0 ? "nobody else is notified (approval.escalate names no one)" : `then ${listed(steps)} is notified`}.`,
    approval.tokenFile === "other_user"
      ? "A token may be typed, or come from a file that the user who runs unship cannot read."
      : "CAUTION: a token may come from a file of the very user who runs unship (approval.token_file is same_user): whoever is that user can approve.",
  ];
}
