/**
 * What can speak against a change, as `guardrails.evidence_kinds` counts it: metrics by what they measure, lines of logs, versions side
 * by side. Each metric of the file's own is a kind beside these.
 */
export const EVIDENCE_KINDS = ["errors", "latency", "health", "traffic", "resources", "logs", "versions"] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];
