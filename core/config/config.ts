import type { ImpactLevel } from "../model/impact.ts";
import type { ActionType } from "../model/plan.ts";
import type { Worse } from "../model/signal.ts";
import type { CanaryPolicy } from "./canary-policy.ts";
import type { ChannelConfig } from "./channel-config.ts";
import type { Filled } from "./filled.ts";
import type { NotificationsConfig } from "./notifications.ts";
import type { ServerConfig } from "./server-config.ts";

export type { CanaryPolicy, KayentaMetric, KayentaPolicy } from "./canary-policy.ts";
export type { ChannelConfig } from "./channel-config.ts";
export type { NotificationsConfig } from "./notifications.ts";
export type { OAuthConfig, OidcAlgorithm, OidcConfig, ServerConfig } from "./server-config.ts";

/**
 * The configuration as the rest of unship reads it: checked, frozen, durations in ms, defaults filled in, secrets
 * still unresolved (`SecretRef`) until the command that needs them resolves them.
 */
export interface Config {
  /** observe where the file says nothing (S7). */
  readonly mode: Mode;
  readonly modeIsDefault: boolean;
  /** `--mode` set it, and so holds back services that the file lets do more; absent: the file's own mode, or its default. */
  readonly modeIsAsked?: true;
  readonly dataSources: DataSources;
  readonly policies: readonly Policy[];
  readonly canary: CanaryPolicy | null;
  readonly chain: readonly ChainStep[];
  readonly allowedActions: readonly AllowedAction[];
  readonly guardrails: Guardrails;
  readonly blastRadius: BlastRadius;
  /** Kinds of evidence that must agree before it acts alone, at least 1. */
  readonly evidenceKinds: number;
  readonly freezeWindows: readonly FreezeWindow[];
  readonly feedback: Feedback;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  /** Of every `revenuePerMinute`, ISO 4217; absent: the file does not say. */
  readonly currency?: string;
  /** The label that tells services apart in metrics. Default "service". */
  readonly serviceLabel: string;
  /** The label that tells versions apart in metrics. Default "version". */
  readonly versionLabel: string;
  readonly topology: {
    readonly edges: readonly (readonly [string, string])[];
    readonly external: readonly string[];
  } | null;
  readonly approvers: readonly Approver[];
  readonly approval: ApprovalPolicy;
  readonly graduation: Graduation;
  /** `signingKey`: the file of the private key that vouches for the ledger's end; null: nobody does. */
  readonly ledger: (
    | { readonly type: "sqlite"; readonly path: string }
    | { readonly type: "postgres"; readonly url: SecretRef }
  ) & { readonly signingKey: string | null };
  readonly knowledge: { readonly path: string };
  readonly watch: { readonly stepMs: number };
  readonly model: ModelConfig | null;
  /** Absent: nobody is told by chat or pager. */
  readonly notifications?: NotificationsConfig;
  /** Absent: no approvals over HTTP, and the MCP server serves this machine alone over it, without a token. */
  readonly server?: ServerConfig;
  /** How the agent reaches the process that alone acts; absent: whoever watches acts itself. */
  readonly gate?: ChannelConfig;
  /** The variables that stand in texts of the file, whose values no explanation shows (S10); absent: none. */
  readonly filled?: readonly Filled[];
  /** Durations and limits of the file that can never have their effect, each with its line; absent: none. */
  readonly vain?: readonly ConfigProblem[];
  /** Tells what this file says from what another version of it says, `--mode` apart; absent: no file was read. */
  readonly version?: string;
  /** The file that was read, as an absolute path without links; absent: none was. */
  readonly file?: string;
}

/** From the least free to the freest. */
export const MODES = ["observe", "approve", "auto"] as const;
export type Mode = (typeof MODES)[number];

/** A value that may come from the environment or a file; resolved only by the command that uses it. */
export type SecretRef =
  | { readonly from: "text"; readonly value: string }
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "file"; readonly path: string };

export interface DataSources {
  readonly metrics: MetricsSource;
  /** More than one may be named in the file; the seed names one. */
  readonly deployments: readonly DeploymentsSource[];
  readonly logs: LogsSource | null;
  readonly traces: TracesSource | null;
  readonly featureFlags: FlagsSource | null;
  readonly migrations: readonly MigrationsSource[];
}

/** A schema that migrations move. Commands are programs with their arguments; null: none is named. */
export interface MigrationsSource {
  readonly name: string;
  readonly service: string;
  readonly status: readonly string[] | null;
  readonly rollback: readonly string[] | null;
  readonly directory: string | null;
  /** Variables of unship's own environment that the commands see, beside PATH and HOME. */
  readonly environment: readonly string[];
  readonly timeoutMs: number;
  readonly everyMs: number;
  /** Variables that the commands see where this process acts, beside the others. */
  readonly write?: { readonly environment: readonly string[] };
}

export interface QueryConfig {
  readonly query: string;
  /** null: worked out from the query (`*_seconds*` is seconds) or the well-known metric. */
  readonly unit: string | null;
  readonly worse: Worse | null;
}

export type MetricsSource =
  | {
      readonly type: "prometheus";
      readonly endpoint: string;
      readonly token: SecretRef | null;
      readonly queries: Readonly<Record<string, QueryConfig>>;
    }
  | {
      readonly type: "scrape";
      readonly targets: readonly ScrapeTarget[];
      /** A URL that lists targets in Prometheus' HTTP service discovery format, re-read on each scrape. */
      readonly discovery: string | null;
      readonly intervalMs: number;
      readonly windowMs: number;
      readonly spool: string | null;
      readonly queries: Readonly<Record<string, QueryConfig>>;
    };

export interface ScrapeTarget {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type DeploymentsSource =
  | {
      readonly type: "kubernetes";
      readonly kubeconfig: string | null;
      readonly context: string | null;
      readonly namespaces: readonly string[];
      /** The credential of the process that acts, with which it reads too; absent: it is the same. */
      readonly write?: { readonly kubeconfig: string | null; readonly context: string | null };
    }
  | {
      readonly type: "argocd_webhook";
      readonly endpoint: string;
      readonly token: SecretRef | null;
      /** Local clones in which reverts are prepared. */
      readonly repositories: readonly { readonly url: string; readonly path: string }[];
      /** The token of the process that acts, and how Argo CD calls its account; absent: it is the same. */
      readonly write?: { readonly token: SecretRef; readonly account: string | null };
    };

export type LogsSource =
  | { readonly type: "jsonl"; readonly paths: readonly string[] }
  | {
      readonly type: "elasticsearch";
      readonly endpoint: string;
      readonly indexPattern: string;
      readonly apiKey: SecretRef | null;
    };

export type TracesSource = { readonly type: "zipkin"; readonly endpoint: string };

/** `write`: the credential of the process that acts; absent: it is the same. */
export type FlagsSource = { readonly write?: SecretRef } & FlagSystemSource;

type FlagSystemSource =
  | {
      readonly type: "launchdarkly";
      readonly endpoint: string;
      readonly apiKey: SecretRef;
      readonly project: string;
      readonly environment: string;
    }
  | {
      readonly type: "flagsmith";
      readonly endpoint: string;
      readonly token: SecretRef;
      readonly project: number;
      readonly environment: string;
      readonly environmentKey: string;
    }
  | {
      readonly type: "unleash";
      readonly endpoint: string;
      readonly token: SecretRef;
      readonly project: string;
      readonly environment: string;
      /** Who Unleash says switched when unship did; null: not known. */
      readonly actor: string | null;
    };

export type Condition =
  | {
      readonly kind: "threshold";
      readonly metric: string;
      readonly comparison: "greater_than" | "less_than";
      readonly threshold: number;
      /** null: no upper bound. A sample above it still counts toward this condition's duration. */
      readonly upperBound: number | null;
      readonly durationMs: number;
      readonly text: string;
    }
  | { readonly kind: "health"; readonly failures: number; readonly consecutive: boolean; readonly text: string }
  | { readonly kind: "regression"; readonly metric: string; readonly confidence: number; readonly text: string };

export interface Policy {
  readonly name: string;
  readonly conditions: readonly Condition[];
  readonly action: "rollback_immediate" | "notify_and_recommend";
  readonly notification: readonly string[];
}

/** The six steps of the seed by name, or a custom one. Windows and choices come from the action's text. */
export interface ChainStep {
  readonly step: string;
  readonly action: string;
  /** A step of the file's own: what a model is asked. Absent: one of the six. */
  readonly prompt?: string;
  /** From "last 30 minutes"; null where the text names none. */
  readonly windowMs: number | null;
  /** From "select from [a, b]"; null where the text names none. */
  readonly choices: readonly string[] | null;
  readonly confidenceThreshold: number | null;
  readonly requireHumanApprovalIf: ApprovalExpression | null;
}

/** The facts that `require_human_approval_if` may name. `null`: cannot be computed → the expression is true (S9). */
export interface ApprovalFacts {
  readonly business_impact: ImpactLevel | null;
  readonly affected_services: number | null;
  readonly confidence: number | null;
  readonly targets: number | null;
  readonly error_rate: number | null;
}

export interface ApprovalExpression {
  readonly text: string;
  /** Evaluates without `eval`; an unknown fact makes the whole expression true. */
  readonly holds: (facts: ApprovalFacts) => { readonly holds: boolean; readonly because: string };
}

export interface AllowedAction {
  readonly type: ActionType;
  /** null: any. "*" matches any; otherwise exact. */
  readonly namespaces: readonly string[] | null;
  readonly applications: readonly string[] | null;
  readonly environments: readonly string[] | null;
  readonly requireApproval: boolean;
  readonly maxRollbacksPerHour: number | null;
}

export interface Guardrails {
  readonly maxAutoRollbacksPerDay: number | null;
  readonly cooldownMs: number;
  readonly cooldownScope: "service" | "global";
  readonly escalateToHumanAfter: number | null;
  readonly neverAutoRollback: readonly string[];
}

/** How much one plan may touch without a person; null: no limit of this kind. */
export interface BlastRadius {
  readonly services: number | null;
  /** Of all requests, 0–1. */
  readonly trafficShare: number | null;
  readonly replicas: number | null;
}

export interface FreezeWindow {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMs: number;
  /** null: all. */
  readonly services: readonly string[] | null;
  readonly rollbacks: "allow" | "approve" | "deny";
  /** The stretch (Unix ms) in which a moment lies; null: the window is closed then. */
  readonly openAt: (now: number) => { readonly from: number; readonly to: number } | null;
}

export interface ApprovalPolicy {
  /** A target that fits all that one entry names needs two people; null: any. */
  readonly twoPersons: readonly {
    readonly services: readonly string[] | null;
    readonly actions: readonly ActionType[] | null;
    readonly criticality: ImpactLevel | null;
  }[];
  readonly remindAfterMs: number;
  readonly escalate: readonly { readonly afterMs: number; readonly to: readonly string[] }[];
  readonly tokenFile: "other_user" | "same_user";
}

/** What a service has to show before more freedom is suggested. */
export interface Graduation {
  readonly approveAfterProposals: number;
  readonly autoAfterRecovered: number;
}

export interface Feedback {
  readonly verifyRecovered: boolean;
  readonly timeoutMs: number;
  /** How long a GitOps controller may take to undo an act. */
  readonly gitOpsWaitMs: number;
  /** How long after an incident the return of what was taken back is noticed. */
  readonly driftWatchMs: number;
  readonly ifNotRecovered: { readonly action: "escalate_to_human"; readonly message: string } | null;
  readonly logOutcome: { readonly store: string; readonly include: readonly OutcomeField[] } | null;
  readonly postmortemDraft: boolean;
}

export type OutcomeField = "deployment_details" | "anomaly_metrics" | "rollback_duration" | "recovery_confirmed";

export interface ServiceConfig {
  readonly namespace: string | null;
  readonly workload: { readonly kind: string; readonly name: string } | null;
  readonly argocdApplication: string | null;
  readonly flags: readonly string[];
  readonly criticality: ImpactLevel;
  /** In `Config.currency`; null: not known. */
  readonly revenuePerMinute: number | null;
  readonly routes: readonly { readonly route: string; readonly revenuePerMinute: number }[];
  readonly mode: Mode | null;
}

export interface Approver {
  readonly name: string;
  /** SHA-256 of the personal token, hex; null: none. The token itself stands nowhere. */
  readonly tokenSha256: string | null;
  /** The public key that is derived from the personal token ("ed25519:…"), by which their answers are proven; absent: none. */
  readonly tokenKey?: string;
  /** What the issuer's claim says of this person; absent: no token of the issuer names them. */
  readonly oidc?: string;
  /** Slack's id of this person; absent: no press of a button is theirs. */
  readonly slack?: string;
  /** null: all. */
  readonly services: readonly string[] | null;
  readonly actions: readonly ActionType[] | null;
  readonly upTo: ImpactLevel;
}

export interface ModelConfig {
  readonly provider: "anthropic" | "openai";
  readonly model: string;
  readonly baseUrl: string | null;
  readonly apiKey: SecretRef | null;
  readonly mayHold: boolean;
  /** Whether a model may read excerpts of diffs. */
  readonly mayReadCode: boolean;
  readonly budget: ModelBudget;
  /** Prices of a million tokens, in any one currency; null: not reckoned. */
  readonly prices: { readonly input: number; readonly cachedInput: number; readonly output: number } | null;
}

/** What one run of the chain may spend on its model. */
export interface ModelBudget {
  readonly tokens: number;
  readonly turns: number;
  readonly timeMs: number;
  readonly stepTimeMs: number;
  /** In the currency of the prices; null: not limited. */
  readonly cost: number | null;
}

/** One thing that is wrong with a file: one line for a person. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The nearest valid choice, where there is one. */
  readonly hint: string | null;
}
