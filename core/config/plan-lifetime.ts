/**
 * How long a plan may wait for a person, ms; then it expires, which means no. Fifteen minutes is what on-call rotations page
 * with before they escalate (and Kubernaut's default for approvals).
 */
export const PLAN_LIFETIME_MS = 15 * 60_000;
