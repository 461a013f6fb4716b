import type { ApprovalPolicy, Approver, BlastRadius, FreezeWindow, Graduation } from "./config.ts";
import { compileFreeze } from "./freeze-window.ts";
import type { ConfigFile } from "./schema/file.ts";
import { durationMs } from "./written-values.ts";

/** The limits of a file that passed every check, durations in ms. */
export function limitsOf(file: ConfigFile): {
  readonly blastRadius: BlastRadius;
  readonly evidenceKinds: number;
  readonly freezeWindows: readonly FreezeWindow[];
  readonly approvers: readonly Approver[];
  readonly approval: ApprovalPolicy;
  readonly graduation: Graduation;
} {
  const { blast_radius: blast, evidence_kinds: evidenceKinds } = file.execution.guardrails;
  return {
    blastRadius: {
      services: blast.services,
      trafficShare: blast.traffic_share ?? null,
      replicas: blast.replicas ?? null,
    },
    evidenceKinds,
    freezeWindows: file.freeze_windows.map(freezeOf),
    approvers: file.approvers.map((approver) => ({
      name: approver.name,
      tokenSha256: approver.token_sha256?.toLowerCase() ?? null,
      ...(approver.token_key === undefined ? {} : { tokenKey: approver.token_key }),
      ...(approver.oidc === undefined ? {} : { oidc: approver.oidc }),
      ...(approver.slack === undefined ? {} : { slack: approver.slack }),
      services: approver.services ?? null,
      actions: approver.actions ?? null,
      upTo: approver.up_to,
    })),
    approval: {
      twoPersons: file.approval.two_persons.map(({ services, actions, criticality }) => ({
        services: services ?? null,
        actions: actions ?? null,
        criticality: criticality ?? null,
      })),
      remindAfterMs: durationMs(file.approval.remind_after),
      escalate: file.approval.escalate.map(({ after, to }) => ({ afterMs: durationMs(after), to })),
      tokenFile: file.approval.token_file,
    },
    graduation: {
      approveAfterProposals: file.graduation.approve_after_proposals,
      autoAfterRecovered: file.graduation.auto_after_recovered,
    },
  };
}

function freezeOf(window: ConfigFile["freeze_windows"][number]): FreezeWindow {
  const { name, cron, time_zone: timeZone, duration, services, rollbacks } = window;
  const ms = durationMs(duration);
  return {
    name,
    cron,
    timeZone,
    durationMs: ms,
    services: services ?? null,
    rollbacks,
    openAt: compileFreeze(cron, timeZone, ms),
  };
}
