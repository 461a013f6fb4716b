import { z } from "zod";
import { Worse } from "../../model/signal.ts";
import { KNOWN_UNITS } from "../units.ts";
import { SECRET_FORMS } from "../variables.ts";
import { duration, field, name, path, secret, text, url } from "./fields.ts";

const Query = z.union([
  text(),
  z.strictObject({
    query: field(text(), "The PromQL expression."),
    unit: field(
      z.enum(KNOWN_UNITS).optional(),
      "The unit of what the query yields. A well-known metric is converted from it.",
      { unless: "read from the names in the query (`*_seconds*` is seconds), else the metric's own unit" },
    ),
    worse: field(Worse.optional(), "The direction in which a custom metric degrades.", {
      unless: "a well-known metric's own direction; either for a custom one",
    }),
  }),
]);

const queries = (description: string, unless: string) =>
  field(z.record(name(), Query).optional(), description, { unless });

const Prometheus = z.strictObject({
  type: field(z.literal("prometheus"), "A Prometheus server, or what speaks its HTTP API."),
  endpoint: field(url(), "Where it answers."),
  token: field(secret().optional(), `Bearer token, as ${SECRET_FORMS}.`, { unless: "none is sent" }),
  queries: queries(
    "PromQL by metric: error_rate, p99_latency, … or a custom name. Policies judge what these yield. A query that does not name the service label is also asked grouped by it.",
    "the default query of each well-known metric, from Prometheus' conventional names",
  ),
});

const ScrapeTarget = z.strictObject({
  url: field(url(), "The page of metrics, in Prometheus' text format."),
  labels: field(z.record(name(), z.string()).optional(), "Labels that every sample of this target gets.", {
    unless: "none",
  }),
});

const Scrape = z.strictObject({
  type: field(z.literal("scrape"), "No Prometheus: unship reads the pages of metrics itself."),
  targets: field(z.array(ScrapeTarget).optional(), "The pages to read.", { unless: "none; then discovery is needed" }),
  discovery: field(
    url().optional(),
    "A URL that lists targets in Prometheus' HTTP service discovery format, read again on each scrape.",
    {
      unless: "none; then targets are needed",
    },
  ),
  interval: field(duration(100).default("5s"), "Time between two scrapes.", { unit: "duration" }),
  window: field(duration(60_000).default("6h"), "How much of the past is kept.", { unit: "duration" }),
  spool: field(path().optional(), "Folder that the window is written to, so that it survives a restart.", {
    unless: "kept in memory alone",
  }),
  queries: queries(
    'Series by metric, without a Prometheus to evaluate PromQL: name, name{label="value"} or rate(name[5m]), within sum, max, min or avg if several make one figure.',
    "the well-known metrics, derived from Prometheus' conventional names",
  ),
});

const SWITCHES = `Token that may switch flags, as ${SECRET_FORMS}.`;

/** The second credential of a source. */
const ofTheGate = <S extends z.ZodRawShape>(shape: S) =>
  field(z.strictObject(shape).optional(), "The credential of the process that acts, which reads with it too.", {
    unless: "the same; where `gate` is configured, nothing of this source is acted on",
  });

const Kubernetes = z.strictObject({
  type: field(z.literal("kubernetes"), "Rollouts of Deployments, StatefulSets and DaemonSets, read from the cluster."),
  kubeconfig: field(path().optional(), "Path of the kubeconfig.", {
    unless: "the account of the pod that unship runs in",
  }),
  context: field(name().optional(), "Context in the kubeconfig.", { unless: "its current context" }),
  namespaces: field(z.array(name()).min(1).default(["*"]), 'Namespaces to read; "*": all.'),
  write: ofTheGate({
    kubeconfig: field(path().optional(), "Path of its kubeconfig.", { unless: "the account of the pod that acts" }),
    context: field(name().optional(), "Context in it.", { unless: "its current context" }),
  }),
});

const ArgocdWebhook = z.strictObject({
  type: field(z.literal("argocd_webhook"), "Argo CD: the history of its applications, and rollbacks to it."),
  endpoint: field(url(), "Its server, with or without /api/v1/applications."),
  token: field(secret().optional(), `Token of an Argo CD account that unship alone uses, as ${SECRET_FORMS}.`, {
    unless: "none is sent, which Argo CD refuses unless anonymous access is on",
  }),
  repositories: field(
    z
      .array(
        z.strictObject({
          url: field(text(), "The repository, as applications name it (repoURL)."),
          path: field(path(), "A local clone of it. unship makes branches in it, and never fetches nor pushes."),
        }),
      )
      .optional(),
    "Clones in which the Git revert that finishes a rollback is prepared on a branch.",
    { unless: "none: the revert is described and not prepared" },
  ),
  write: ofTheGate({
    token: field(secret(), `Token of an Argo CD account that the gate alone uses, as ${SECRET_FORMS}.`),
    account: field(
      name().optional(),
      "How Argo CD calls that account: by it the agent knows the gate's own rollbacks where their mark was taken away.",
      { unless: "not known to the agent" },
    ),
  }),
});

const Deployments = z.discriminatedUnion("type", [Kubernetes, ArgocdWebhook]);

const Logs = z.discriminatedUnion("type", [
  z.strictObject({
    type: field(z.literal("jsonl"), "Files of JSON lines."),
    paths: field(z.array(path()).min(1), "The files; `*` matches within one folder."),
  }),
  z.strictObject({
    type: field(
      z.literal("elasticsearch"),
      "Elasticsearch. No connector yet in this version: what it would say is unknown.",
    ),
    endpoint: field(url(), "Where it answers."),
    index_pattern: field(text(), "The indices that hold the logs."),
    api_key: field(secret().optional(), `API key, as ${SECRET_FORMS}.`, { unless: "none is sent" }),
  }),
]);

const Traces = z.discriminatedUnion("type", [
  z.strictObject({
    type: field(z.literal("zipkin"), "Spans in Zipkin's v2 JSON API."),
    endpoint: field(url(), "Where it answers."),
  }),
]);

const FeatureFlags = z.discriminatedUnion("type", [
  z.strictObject({
    type: field(z.literal("launchdarkly"), "LaunchDarkly."),
    api_key: field(secret(), `Access token of its REST API, best of a service, as ${SECRET_FORMS}.`),
    endpoint: field(
      url().default("https://app.launchdarkly.com"),
      "Its base URL, without /api: another one for the EU or federal instance.",
    ),
    project: field(name().default("default"), "The key of the project whose flags count."),
    environment: field(
      name().default("production"),
      "The key of the environment whose flags are read and may be switched off.",
    ),
    write: ofTheGate({ api_key: field(secret(), SWITCHES) }),
  }),
  z.strictObject({
    type: field(z.literal("flagsmith"), "A Flagsmith server, or its cloud."),
    endpoint: field(url().default("https://api.flagsmith.com"), "Its base URL, without /api."),
    token: field(secret(), `API key of the organisation, as ${SECRET_FORMS}.`),
    project: field(z.int().min(1), "The number of the project whose features count, as its URL shows it.", {
      unit: "number of a project",
    }),
    environment: field(name().default("production"), "What this file and its plans call the environment."),
    environment_key: field(
      name(),
      "The client-side key of the environment whose features are read and may be switched off. It is no secret.",
    ),
    write: ofTheGate({ token: field(secret(), SWITCHES) }),
  }),
  z.strictObject({
    type: field(z.literal("unleash"), "An Unleash server."),
    endpoint: field(url(), "Its base URL, without /api."),
    token: field(secret(), `Token of its admin API, as ${SECRET_FORMS}.`),
    project: field(name().default("default"), "The project whose flags count."),
    environment: field(name().default("production"), "The environment whose flags are read and may be switched off."),
    actor: field(
      name().optional(),
      "The name that Unleash writes for this token, if unship alone uses it: its own switches are then known again after a restart.",
      { unless: "own switches are known to the process that made them alone" },
    ),
    write: ofTheGate({ token: field(secret(), SWITCHES) }),
  }),
]);

const command = () =>
  z
    .array(text())
    .min(1)
    .superRefine((words, context) => {
      for (const [index, word] of words.entries()) {
        const strange = /\{(?!restore\}|expected\})[a-z_]*\}/.exec(word)?.[0];
        if (strange === undefined) continue;
        const params = { hint: "only {restore} and {expected} are placeholders" };
        context.addIssue({ code: "custom", message: `holds ${strange}`, path: [index], params });
      }
    });

const Migrations = z.strictObject({
  name: field(name(), "What plans call the schema."),
  service: field(name(), "The service that it belongs to."),
  status: field(
    command().optional(),
    "Program and arguments, run without a shell. The first word of the last line that it prints is the version that the schema is at.",
    { unless: "its migrations are not seen, and a rollback is never run" },
  ),
  rollback: field(
    command().optional(),
    "Program and arguments, run without a shell, that roll the newest migration back. {restore} and {expected} are placeholders of the two versions. Run once, after a person has approved, and only where status is named too.",
    { unless: "the steps are handed over to a person" },
  ),
  directory: field(path().optional(), "The folder that they run in.", { unless: "the folder of this file" }),
  environment: field(
    z.array(name()).default([]),
    "Variables of unship's own environment that they see, beside PATH and HOME.",
  ),
  timeout: field(duration(1000).default("5m"), "How long the rollback may take before it is killed."),
  every: field(duration(1000).default("1m"), "The least time between two reads of the status."),
  write: field(
    z
      .strictObject({
        environment: field(z.array(name()).min(1), "Variables of that process' environment that the commands see."),
      })
      .optional(),
    "What the commands see besides in the process that acts: the account that may change the schema.",
    { unless: "nothing besides" },
  ),
});

export const DataSources = z.strictObject({
  metrics: field(
    z.discriminatedUnion("type", [Prometheus, Scrape]),
    "Where signals come from. Without it nothing can be seen.",
  ),
  deployments: field(
    z.union([Deployments, z.array(Deployments).min(1)]).optional(),
    "Where deploys are read from: one source, or a list.",
    { unless: "none: no deploy is ever found to be the culprit" },
  ),
  logs: field(Logs.optional(), "Where log lines are read from.", { unless: "none: logs are no evidence" }),
  traces: field(Traces.optional(), "Where spans are read from.", {
    unless: "none: the call graph comes from topology, mesh metrics and pod templates",
  }),
  migrations: field(
    z.array(Migrations).default([]),
    "Schemas whose migrations are watched, and how one is rolled back.",
  ),
  feature_flags: field(FeatureFlags.optional(), "Where flags are read and switched off.", {
    unless: "none: no flag is ever found to be the culprit",
  }),
});
