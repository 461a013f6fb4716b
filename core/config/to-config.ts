import { choicesOfAction, windowOfAction } from "./action-text.ts";
import { addressOf } from "./address.ts";
import type {
  AllowedAction,
  ChainStep,
  ChannelConfig,
  Config,
  Feedback,
  Guardrails,
  NotificationsConfig,
  ServiceConfig,
} from "./config.ts";
import { compileExpression } from "./expression.ts";
import { limitsOf } from "./limits-to-config.ts";
import { canaryOf, policiesOf } from "./policies-to-config.ts";
import { OUTCOME_FIELDS } from "./schema/chain.ts";
import type { ConfigFile } from "./schema/file.ts";
import { DEFAULT_LEDGER_PATH } from "./schema/setup.ts";
import { sourcesOf } from "./sources-to-config.ts";
import { deepFreeze, durationMs, secretRef, secretRefOf } from "./written-values.ts";

/** How probable a culprit must be to be taken back without a person, where the file says nothing: the seed's figure. */
export const DEFAULT_CONFIDENCE = 0.8;

/** The chain of a file without one: the seed's, because its approval rule is the careful choice. */
const DEFAULT_CHAIN: NonNullable<ConfigFile["reasoning_chain"]>["on_anomaly_detected"] = [
  { step: "identify_recent_deployments", action: "query deployments within last 30 minutes" },
  {
    step: "correlate_timing",
    action: "compare anomaly start time with deployment timestamps",
    confidence_threshold: DEFAULT_CONFIDENCE,
  },
  { step: "check_affected_services", action: "trace error paths to identify affected services" },
  { step: "check_dependency_graph", action: "identify downstream services that may need coordinated rollback" },
  {
    step: "evaluate_business_impact",
    action: "cross-reference affected endpoints with traffic volume and revenue attribution",
  },
  {
    step: "recommend_action",
    action: "select from [rollback, feature_flag_disable, hotfix_recommendation, no_action]",
    require_human_approval_if: "business_impact > high OR affected_services > 3",
  },
];

/** A file that passed every check → what the rest of unship reads, frozen through and through. */
export function toConfig(file: ConfigFile, modeIsWritten: boolean): Config {
  return deepFreeze({
    mode: file.mode,
    modeIsDefault: !modeIsWritten,
    dataSources: sourcesOf(file.data_sources),
    policies: policiesOf(file.rollback_policies ?? {}),
    canary: canaryOf(file.rollback_policies ?? {}),
    chain: (file.reasoning_chain?.on_anomaly_detected ?? DEFAULT_CHAIN).map(stepOf),
    allowedActions: file.execution.allowed_actions.map(actionOf),
    guardrails: guardrailsOf(file),
    ...limitsOf(file),
    feedback: feedbackOf(file),
    services: Object.fromEntries(Object.entries(file.services).map(([name, service]) => [name, serviceOf(service)])),
    ...(file.currency === undefined ? {} : { currency: file.currency }),
    serviceLabel: file.service_label,
    versionLabel: file.version_label,
    topology:
      file.topology === undefined
        ? null
        : {
            edges: file.topology.edges.map(([caller = "", callee = ""]) => [caller, callee] as const),
            external: file.topology.external,
          },
    ledger: {
      ...(file.ledger.url === undefined
        ? { type: "sqlite", path: file.ledger.path ?? DEFAULT_LEDGER_PATH }
        : { type: "postgres", url: secretRefOf(file.ledger.url) }),
      signingKey: file.ledger.signing_key ?? null,
    },
    knowledge: { path: file.knowledge.path },
    watch: { stepMs: durationMs(file.watch.step) },
    model:
      file.model === undefined
        ? null
        : {
            provider: file.model.provider,
            model: file.model.model,
            baseUrl: file.model.base_url ?? null,
            apiKey: secretRef(file.model.api_key),
            mayHold: file.model.may_hold,
            mayReadCode: file.model.may_read_code,
            budget: {
              tokens: file.model.budget.tokens,
              turns: file.model.budget.turns,
              timeMs: durationMs(file.model.budget.time),
              stepTimeMs: durationMs(file.model.budget.step_time),
              cost: file.model.budget.cost ?? null,
            },
            prices:
              file.model.prices === undefined
                ? null
                : {
                    input: file.model.prices.input,
                    cachedInput: file.model.prices.cached_input ?? file.model.prices.input,
                    output: file.model.prices.output,
                  },
          },
    ...(file.notifications === undefined ? {} : { notifications: notificationsOf(file.notifications) }),
    ...(file.server === undefined ? {} : { server: serverOf(file.server) }),
    ...(file.gate === undefined ? {} : { gate: channelOf(file.gate) }),
  });
}

type FileStep = NonNullable<ConfigFile["reasoning_chain"]>["on_anomaly_detected"][number];

function stepOf(step: FileStep): ChainStep {
  const window = step.step === "identify_recent_deployments" ? windowOfAction(step.action) : null;
  const choices = step.step === "recommend_action" ? choicesOfAction(step.action) : null;
  const compiled =
    step.require_human_approval_if === undefined ? null : compileExpression(step.require_human_approval_if);
  return {
    step: step.step,
    action: step.action,
    ...(step.prompt === undefined ? {} : { prompt: step.prompt }),
    windowMs: window?.kind === "value" ? window.value : null,
    choices: choices?.kind === "value" ? choices.value : null,
    confidenceThreshold: step.confidence_threshold ?? (step.step === "correlate_timing" ? DEFAULT_CONFIDENCE : null),
    requireHumanApprovalIf: compiled?.ok === true ? compiled.expression : null,
  };
}

type FileAction = ConfigFile["execution"]["allowed_actions"][number];

function actionOf(action: FileAction): AllowedAction {
  return {
    type: action.type,
    namespaces: "namespaces" in action ? (action.namespaces ?? null) : null,
    applications: "applications" in action ? (action.applications ?? null) : null,
    environments: "environments" in action ? (action.environments ?? null) : null,
    requireApproval: action.require_approval,
    maxRollbacksPerHour: action.max_rollbacks_per_hour ?? null,
  };
}

function guardrailsOf(file: ConfigFile): Guardrails {
  const written = file.execution.guardrails;
  return {
    maxAutoRollbacksPerDay: written.max_auto_rollbacks_per_day,
    cooldownMs: durationMs(written.cooldown_between_rollbacks),
    cooldownScope: written.cooldown_scope,
    escalateToHumanAfter: written.escalate_to_human_after,
    neverAutoRollback: written.never_auto_rollback,
  };
}

function feedbackOf(file: ConfigFile): Feedback {
  const entries = file.feedback_loop?.post_rollback ?? [];
  const verify = entries.find((entry) => "verify_metrics_recovered" in entry);
  const notRecovered = entries.find((entry) => "if_not_recovered" in entry)?.if_not_recovered;
  const outcome = entries.find((entry) => "log_outcome" in entry)?.log_outcome;
  const postmortem = entries.find((entry) => "auto_generate_postmortem_draft" in entry);
  return {
    verifyRecovered: verify?.verify_metrics_recovered ?? true,
    timeoutMs: durationMs(verify?.timeout ?? "10m"),
    gitOpsWaitMs: durationMs(verify?.gitops_wait ?? "4m"),
    driftWatchMs: durationMs(verify?.drift_watch ?? "1h"),
    ifNotRecovered: notRecovered ?? {
      action: "escalate_to_human",
      message: "The action did not bring the service back. Please investigate.",
    },
    logOutcome: outcome ?? { store: "incidents", include: [...OUTCOME_FIELDS] },
    postmortemDraft: postmortem?.auto_generate_postmortem_draft ?? true,
  };
}

function serviceOf(service: ConfigFile["services"][string]): ServiceConfig {
  return {
    namespace: service.namespace ?? null,
    workload: service.workload ?? null,
    argocdApplication: service.argocd_application ?? null,
    flags: service.flags,
    criticality: service.criticality,
    revenuePerMinute: service.revenue_per_minute ?? null,
    routes: service.routes.map((route) => ({ route: route.route, revenuePerMinute: route.revenue_per_minute })),
    mode: service.mode ?? null,
  };
}

function notificationsOf({ slack, pagerduty }: NonNullable<ConfigFile["notifications"]>): NotificationsConfig {
  const keys = Object.entries(pagerduty?.routing_keys ?? {}).map(([name, key]) => [name, secretRefOf(key)] as const);
  return {
    slack:
      slack === undefined
        ? null
        : {
            botToken: secretRefOf(slack.bot_token),
            signingSecret: secretRef(slack.signing_secret),
            team: slack.team ?? null,
            apiUrl: slack.api_url,
          },
    pagerduty: pagerduty === undefined ? null : { routingKeys: Object.fromEntries(keys), apiUrl: pagerduty.api_url },
  };
}

/** A check has seen to it that one of the two stands there. */
function channelOf({ socket, listen = "", token }: NonNullable<ConfigFile["gate"]>): ChannelConfig {
  const at = socket === undefined ? (addressOf(listen) ?? { host: "127.0.0.1", port: 0 }) : { socket };
  return { at, token: secretRefOf(token) };
}

function serverOf(server: NonNullable<ConfigFile["server"]>): NonNullable<Config["server"]> {
  return {
    listen: server.listen === undefined ? null : addressOf(server.listen),
    tokens: server.tokens.map((token) => ({
      name: token.name,
      tokenSha256: token.token_sha256.toLowerCase(),
      readOnly: token.read_only,
    })),
    hosts: server.hosts,
    origins: server.origins,
    requestsPerMinute: server.requests_per_minute,
    ...(server.oauth === undefined
      ? {}
      : {
          oauth: {
            issuer: server.oauth.issuer,
            resource: server.oauth.resource,
            jwksUrl: server.oauth.jwks_url,
            algorithms: server.oauth.algorithms,
          },
        }),
    ...(server.oidc === undefined
      ? {}
      : {
          oidc: {
            issuer: server.oidc.issuer,
            audience: server.oidc.audience,
            jwksUrl: server.oidc.jwks_url,
            algorithms: server.oidc.algorithms,
            claim: server.oidc.claim,
          },
        }),
  };
}
