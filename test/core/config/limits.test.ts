import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const HASH = "3f6137fb94d6e1f4e1133b576273b2b830560fb046e3ddbe879a893cd0c748a6";
const approver = (more: string) => `approvers: [{name: ada, token_sha256: "${HASH}"${more}}]\n`;

/** Each limit: how it is written, what it becomes, and how `check` explains it. */
const LIMITS: readonly (readonly [name: string, yaml: string, config: object, says: string])[] = [
  [
    "the services that a plan may touch",
    "execution: {guardrails: {blast_radius: {services: 2}}}\n",
    { blastRadius: { services: 2, trafficShare: null, replicas: null } },
    "- one plan touches more than 2 services",
  ],
  [
    "the share of traffic that a plan may touch",
    "execution: {guardrails: {blast_radius: {traffic_share: 0.25}}}\n",
    { blastRadius: { services: 3, trafficShare: 0.25, replicas: null } },
    "- the services of one plan serve more than 25 % of all requests, or how much is unknown",
  ],
  [
    "the pods that a plan may replace",
    "execution: {guardrails: {blast_radius: {replicas: 20}}}\n",
    { blastRadius: { services: 3, trafficShare: null, replicas: 20 } },
    "- one plan replaces more than 20 pods, or how many is unknown",
  ],
  [
    "the kinds of evidence that must agree",
    "execution: {guardrails: {evidence_kinds: 2}}\n",
    { evidenceKinds: 2 },
    "- fewer than 2 kinds of evidence speak against the change",
  ],
  [
    "plans for two people",
    "approval: {two_persons: [{actions: [kubectl_rollout_undo], criticality: high}]}\n",
    { approval: { twoPersons: [{ services: null, actions: ["kubectl_rollout_undo"], criticality: "high" }] } },
    "- a plan is kubectl_rollout_undo and touches a service of high importance or more (one that the file does not describe counts); then two different people have to approve",
  ],
  [
    "reminders and who is next in line",
    `${approver("")}approval: {remind_after: 2m, escalate: [{after: 6m, to: ["pagerduty:second"]}]}\n`,
    { approval: { remindAfterMs: 120_000, escalate: [{ afterMs: 360_000, to: ["pagerduty:second"] }] } },
    "Who was asked is reminded after 2m; then pagerduty:second after 6m is notified.",
  ],
  [
    "whose files may hold a token",
    `${approver("")}approval: {token_file: same_user}\n`,
    { approval: { tokenFile: "same_user" } },
    "CAUTION: a token may come from a file of the very user who runs unship",
  ],
  [
    "what a person may approve",
    approver(", actions: [feature_flag_disable], up_to: high"),
    { approvers: [{ name: "ada", services: null, actions: ["feature_flag_disable"], upTo: "high" }] },
    "ada, for every service up to high importance, feature_flag_disable alone, with a personal token; CAUTION: a personal token approves nothing until the file names token_key (unship approver-key) or ledger.signing_key",
  ],
  [
    "when more freedom is suggested",
    "graduation: {approve_after_proposals: 2, auto_after_recovered: 9}\n",
    { graduation: { approveAfterProposals: 2, autoAfterRecovered: 9 } },
    "mode auto after 9 approved rollbacks in a row that brought recovery",
  ],
  [
    "a freeze that denies",
    'freeze_windows: [{name: launch, cron: "0 1 * * *", duration: 1h, rollbacks: deny, services: [web]}]\n',
    {},
    'launch, for web, from each "0 1 * * *" (UTC) for 1h: nothing is rolled back, not even with a person\'s approval.',
  ],
];

describe("limits of the file", () => {
  it.each(LIMITS)("are read and explained: %s", (_, yaml, config, says) => {
    const read = loaded(SOURCES + yaml);
    expect(read).toMatchObject(config);
    expect(explain(read).join("\n")).toContain(says);
  });

  it.each([
    ["execution: {guardrails: {blast_radius: {services: 0}}}\n", "services"],
    ["execution: {guardrails: {blast_radius: {traffic_share: 1.5}}}\n", "traffic_share"],
    ["approval: {two_persons: [{}]}\n", "says nothing"],
    ["approval: {escalate: [{after: 1m, to: [bob]}]}\n", "is no notification target"],
    ["approval: {escalate: [{after: 1m, to: []}]}\n", "to"],
    ["graduation: {auto_after_recovered: 0}\n", "auto_after_recovered"],
    [approver(", up_to: huge"), "up_to"],
  ])("are checked: %s", (yaml, says) => {
    expect(problems(SOURCES + yaml)).toEqual([expect.stringContaining(says)]);
  });
});
