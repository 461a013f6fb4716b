import { cleanText } from "../../model/untrusted-text.ts";
import { formatDuration } from "../durations.ts";
import { oneLine } from "../yaml-tree.ts";
import type { SeenWorkload } from "./evidence.ts";
import type { Derived } from "./thresholds.ts";

/** What is written, with what each choice was derived from. Secrets are names of variables. */
export interface Draft {
  /** In "auto" no file starts: that is raised by people who have seen it be right. */
  readonly mode: "observe" | "approve";
  readonly approver: { readonly name: string; readonly tokenKey: string } | null;
  /** What rates are averaged over, ms; conditions hold for three fifths of it, or all of it, before they fire. */
  readonly windowMs: number;
  /** Where Zipkin's API answers; null: no source of spans. */
  readonly traces: { readonly endpoint: string; readonly why: string } | null;
  readonly prometheus: { readonly endpoint: string; readonly tokenVariable: string | null };
  readonly queries: readonly {
    readonly metric: string;
    readonly query: string;
    readonly unit: string | null;
    readonly why: string;
  }[];
  readonly kubernetes: {
    /** null: the account of the pod that unship runs in. */
    readonly kubeconfig: string | null;
    readonly context: string | null;
    readonly namespaces: readonly string[];
    readonly why: string;
  } | null;
  readonly argocd: {
    readonly endpoint: string;
    readonly tokenVariable: string | null;
    readonly applications: readonly string[];
    readonly why: string;
  } | null;
  readonly flags: FlagsDraft | null;
  readonly serviceLabel: Choice | null;
  readonly versionLabel: Choice | null;
  readonly errorRate: Derived | null;
  readonly latency: Derived | null;
  readonly services: readonly {
    readonly service: string;
    readonly workload: SeenWorkload | null;
    readonly application: string | null;
  }[];
  /** What was found and lacks, a comment each. */
  readonly notes: readonly string[];
}

export interface FlagsDraft {
  readonly type: "unleash" | "launchdarkly" | "flagsmith";
  readonly endpoint: string | null;
  readonly tokenVariable: string;
  readonly project: string;
  readonly environment: string;
  /** Of Flagsmith alone. */
  readonly environmentKey: string | null;
  readonly why: string;
}

export interface Choice {
  readonly label: string;
  readonly why: string;
}

/** What rates are averaged over where people say nothing else: the window of the example configuration's queries. */
export const USUAL_WINDOW_MS = 300_000;
/** An average over a window shows nothing new to whoever asks more often than so many times in it. */
const STEPS_IN_WINDOW = 5;
const USUAL_STEP_MS = 15_000;
const LEAST_STEP_MS = 1000;

const MODES = {
  observe: "Mode observe: it says what it would do, and executes nothing.",
  approve: "Mode approve: it executes what an approver agrees to, each time, and nothing else.",
} as const;

/** 1 false alarm in 1000 changes, as in the example configuration. */
const CONFIDENCE = 0.999;

/**
 * The configuration as text, in a mode in which nothing is executed without a person, and beside each choice a comment that says
 * what it was derived from. Pure; the text loads with the strict schema whatever the names in it are.
 */
export function draftText(draft: Draft): string {
  const { queries } = draft;
  const has = (metric: string) => queries.some((one) => one.metric === metric);
  const lines = [
    `# Written by \`unship init\`. ${MODES[draft.mode]} docs/configuration.md has every field.`,
    ...draft.notes.map((note) => `# ${comment(note)}`),
    `mode: ${draft.mode}`,
    "data_sources:",
    "  metrics:",
    "    type: prometheus",
    `    endpoint: ${value(draft.prometheus.endpoint)}`,
    ...token("    ", "token", draft.prometheus.tokenVariable),
    ...(queries.length === 0 ? [] : ["    queries: # asked for each service, whatever labels they name"]),
    ...queries.flatMap(({ metric, query, unit, why }) => [
      `      # ${comment(why)}`,
      unit === null
        ? `      ${metric}: ${value(query)}`
        : `      ${metric}: { query: ${value(query)}, unit: ${value(unit)} }`,
    ]),
    ...deployments(draft),
    ...flagLines(draft.flags),
    ...(draft.traces === null
      ? []
      : [`  traces: { type: zipkin, endpoint: ${value(draft.traces.endpoint)} } # ${comment(draft.traces.why)}`]),
    ...labelLine("service_label", draft.serviceLabel),
    ...labelLine("version_label", draft.versionLabel),
    ...policies(draft, has),
    ...actions(draft),
    ...services(draft),
    ...approvers(draft),
    ...step(draft),
  ];
  return `${lines.join("\n")}\n`;
}

function deployments({ kubernetes, argocd }: Draft): readonly string[] {
  const sources = [
    ...(kubernetes === null
      ? []
      : [
          {
            why: kubernetes.why,
            fields: [
              "type: kubernetes",
              ...(kubernetes.kubeconfig === null ? [] : [`kubeconfig: ${value(kubernetes.kubeconfig)}`]),
              ...(kubernetes.context === null ? [] : [`context: ${value(kubernetes.context)}`]),
              `namespaces: ${list(kubernetes.namespaces)}`,
            ],
          },
        ]),
    ...(argocd === null
      ? []
      : [
          {
            why: argocd.why,
            fields: [
              "type: argocd_webhook",
              `endpoint: ${value(argocd.endpoint)}`,
              ...token("", "token", argocd.tokenVariable),
            ],
          },
        ]),
  ];
  if (sources.length === 0) return [];
  return [
    "  deployments:",
    ...sources.flatMap(({ why, fields }) => [
      `    # ${comment(why)}`,
      ...fields.map((field, index) => `    ${index === 0 ? "- " : "  "}${field}`),
    ]),
  ];
}

function flagLines(flags: FlagsDraft | null): readonly string[] {
  if (flags === null) return [];
  const { type, endpoint, project, environmentKey } = flags;
  return [
    `  feature_flags: # ${comment(flags.why)}`,
    `    type: ${type}`,
    ...(endpoint === null ? [] : [`    endpoint: ${value(endpoint)}`]),
    ...token("    ", type === "launchdarkly" ? "api_key" : "token", flags.tokenVariable),
    `    project: ${/^[1-9]\d*$/.test(project) && type === "flagsmith" ? project : value(project)}`,
    `    environment: ${value(flags.environment)}`,
    ...(environmentKey === null ? [] : [`    environment_key: ${value(environmentKey)}`]),
  ];
}

const approvers = ({ approver }: Draft): readonly string[] =>
  approver === null
    ? []
    : [
        "approvers: # who may approve, for every service",
        `  - { name: ${value(approver.name)}, token_key: ${value(approver.tokenKey)} }`,
      ];

/** Where rates are averaged over less than usual, evaluations follow as often as such an average can show something new. */
function step({ windowMs }: Draft): readonly string[] {
  const stepMs = Math.max(LEAST_STEP_MS, Math.round(windowMs / STEPS_IN_WINDOW / 1000) * 1000);
  return stepMs >= USUAL_STEP_MS ? [] : [`watch: { step: ${formatDuration(stepMs)} }`];
}

function policies(
  { errorRate, latency, kubernetes, windowMs }: Draft,
  has: (metric: string) => boolean,
): readonly string[] {
  const regression = (metric: string) =>
    has(metric)
      ? [`- regression: { metric: ${metric}, confidence: ${CONFIDENCE} } # against the service's own past`]
      : [];
  const conditions = [
    ...(errorRate === null || !has("error_rate")
      ? []
      : [
          `- { metric: error_rate, threshold: ${errorRate.threshold}, duration: ${formatDuration((windowMs * 3) / 5)} } # ${comment(errorRate.why)}`,
        ]),
    ...(latency === null || !has("p99_latency")
      ? []
      : [
          `- { metric: p99_latency, threshold: ${latency.threshold}, duration: ${formatDuration(windowMs)} } # ${comment(latency.why)}`,
        ]),
    ...regression("error_rate"),
    ...regression("p99_latency"),
    ...(kubernetes === null ? [] : ["- health_check_failures: 3 # of a pod, in a row"]),
  ];
  if (conditions.length === 0) return [];
  return [
    "rollback_policies:",
    "  auto_rollback:",
    "    conditions: # any of them is enough",
    ...conditions.map((line) => `      ${line}`),
    "    action: rollback_immediate",
  ];
}

/** What may ever be done: with a person each time, which is the default. */
function actions({ kubernetes, argocd, flags }: Draft): readonly string[] {
  const allowed = [
    ...(kubernetes === null ? [] : [`{ type: kubectl_rollout_undo, namespaces: ${list(kubernetes.namespaces)} }`]),
    ...(argocd === null || argocd.applications.length === 0
      ? []
      : [`{ type: argocd_sync_to_previous, applications: ${list(argocd.applications)} }`]),
    ...(flags === null ? [] : [`{ type: feature_flag_disable, environments: ${list([flags.environment])} }`]),
  ];
  if (allowed.length === 0) return [];
  return [
    "execution:",
    "  allowed_actions: # nothing else is ever done, and each of these needs a person, once the mode is raised",
    ...allowed.map((line) => `    - ${line}`),
  ];
}

function services(draft: Draft): readonly string[] {
  if (draft.services.length === 0) return [];
  return [
    "services: # those that are not found by their name",
    ...draft.services.map(({ service, workload, application }) => {
      const fields = [
        ...(workload === null
          ? []
          : [
              `namespace: ${value(workload.namespace)}`,
              `workload: { kind: ${workload.kind}, name: ${value(workload.name)} }`,
            ]),
        ...(application === null ? [] : [`argocd_application: ${value(application)}`]),
      ];
      return `  ${scalar(service)}: { ${fields.join(", ")} }`;
    }),
  ];
}

const labelLine = (key: string, choice: Choice | null): readonly string[] =>
  choice === null ? [] : [`${key}: ${value(choice.label)} # ${comment(choice.why)}`];

const token = (indent: string, key: string, variable: string | null): readonly string[] =>
  variable === null ? [] : [`${indent}${key}: "\${${variable}}"`];

/**
 * A text as a scalar of YAML: in single quotes where it holds double ones and nothing that those could not carry, as PromQL
 * does; else as JSON's string, which is one of YAML (1.2, section 1.3), but for line separators. `${` is spelled so that it
 * stays what it is.
 */
const value = (text: string): string => scalar(text.replaceAll("${", () => "$${"));

/** A key, in which no variable is ever filled in. */
const scalar = (text: string): string =>
  text.includes('"') && /^[ -&(-~]+$/.test(text) ? `'${text}'` : doubleQuoted(text);

const doubleQuoted = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const list = (texts: readonly string[]): string => `[${texts.map(value).join(", ")}]`;

/** Words for one line after a #, whatever stands in them: names and values of labels are somebody else's. */
const comment = (text: string): string => oneLine(cleanText(text, 200));
