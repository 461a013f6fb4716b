import type { Config, OutcomeField, ServiceConfig } from "../config.ts";
import { formatDuration } from "../durations.ts";
import { windowsBeyondVerification } from "../query-window.ts";
import { askingLines } from "./limits.ts";
import { listed, plural, type Section } from "./words.ts";

/** What follows an action: verification, escalation, memory, postmortem. */
export function explainFeedback(config: Config): Section {
  const { feedback, knowledge } = config;
  const { verifyRecovered, timeoutMs, gitOpsWaitMs, driftWatchMs, ifNotRecovered, logOutcome, postmortemDraft } =
    feedback;
  return {
    heading: "After an action",
    lines: [
      verifyRecovered
        ? `It measures whether what was wrong is back inside its own baseline and no policy condition holds or is pending, for up to ${formatDuration(timeoutMs)}. Not known is not recovered.`
        : "CAUTION: it does not measure whether the action helped (verify_metrics_recovered is false).",
      ...(verifyRecovered ? unconfirmable(config) : []),
      ...(verifyRecovered && gitOpsWaitMs > 0
        ? [
            `Where a GitOps controller manages what was rolled back, that counts only ${formatDuration(gitOpsWaitMs)} after the act: until then the controller may undo it.`,
          ]
        : []),
      ...(driftWatchMs > 0
        ? [
            `For ${formatDuration(driftWatchMs)} after an incident it notifies people if what was rolled back is deployed again.`,
          ]
        : []),
      ...(ifNotRecovered === null
        ? []
        : [
            `If the signals do not recover, people are notified: "${ifNotRecovered.message}"; if that is not known, of that and why`,
          ]),
      logOutcome === null || logOutcome.include.length === 0
        ? "Nothing of it is put into the knowledge store; the ledger has it all."
        : `It remembers ${listed(logOutcome.include.map(outcomeWords))} in ${logOutcome.store}, in ${knowledge.path}.`,
      postmortemDraft ? "It drafts a postmortem." : "It drafts no postmortem by itself; `unship postmortem` does.",
    ],
  };
}

/** Conditions that still look back at the harm when the time of a verification is over. */
function unconfirmable(config: Config): readonly string[] {
  const beyond = windowsBeyondVerification(config);
  const [longest] = beyond;
  if (longest === undefined) return [];
  const named = beyond.map(({ metric, windowMs }) => `${metric} (${formatDuration(windowMs)})`);
  return [
    `CAUTION: no recovery from what ${listed(named)} ${beyond.length === 1 ? "measures" : "measure"} can be confirmed: the ${beyond.length === 1 ? "query averages" : "queries average"} over as long as the verification may take (${formatDuration(config.feedback.timeoutMs)}) or longer, and the condition holds until the degradation has left that window. Set the timeout of verify_metrics_recovered well above ${formatDuration(longest.windowMs)}, or shorten the window.`,
  ];
}

function outcomeWords(field: OutcomeField): string {
  return field.replaceAll("_", " ");
}

/** Who may say yes. */
export function explainApprovers(config: Config): Section {
  const { approvers } = config;
  const lines = approvers.map(
    ({ name, services, actions, upTo, ...one }) =>
      `${name}, for ${services === null ? "every service" : listed(services)}${upTo === "critical" ? "" : ` up to ${upTo} importance`}${actions === null ? "" : `, ${listed(actions)} alone`}, with ${listed(proofsOf(one), "or")}${unproven(one, config)}.`,
  );
  const nobody =
    "CAUTION: nobody. The file lists no approvers: what needs a person cannot be approved, and expires without being executed.";
  return { heading: "Who may approve", lines: lines.length === 0 ? [nobody] : [...lines, ...askingLines(config)] };
}

type Shown = Pick<Config["approvers"][number], "tokenSha256" | "tokenKey" | "oidc" | "slack">;

/** What of it proves nothing in the ledger, so that it approves nothing; "": all of it does. */
function unproven({ tokenSha256, tokenKey, oidc, slack }: Shown, { ledger }: Config): string {
  if (ledger.signingKey !== null) return "";
  const ways = proofsOf({ tokenSha256: tokenKey === undefined ? tokenSha256 : null, ...asGiven({ oidc, slack }) });
  if (ways.length === 0) return "";
  const instead = tokenKey === undefined && tokenSha256 !== null ? "token_key (unship approver-key) or " : "";
  return `; CAUTION: ${listed(ways, "or")} approves nothing until the file names ${instead}ledger.signing_key, since nothing would prove it in the ledger`;
}

const asGiven = ({ oidc, slack }: { readonly oidc: string | undefined; readonly slack: string | undefined }) => ({
  ...(oidc === undefined ? {} : { oidc }),
  ...(slack === undefined ? {} : { slack }),
});

const proofsOf = ({ tokenSha256, tokenKey, oidc, slack }: Shown) => [
  ...(tokenSha256 === null && tokenKey === undefined ? [] : ["a personal token"]),
  ...(oidc === undefined ? [] : ["a token of the issuer"]),
  ...(slack === undefined ? [] : ["a button in Slack"]),
];

/** What the file says of single services. */
export function explainServices({ services, topology, currency }: Config): Section {
  const names = Object.entries(services);
  const lines = names.map(([name, service]) => `${name}: ${listed(serviceWords(service, currency))}.`);
  const graph =
    topology === null
      ? []
      : [`Call graph: ${plural(topology.edges.length, "edge")}${externalWords(topology.external)}.`];
  const none =
    "Nothing: each service is found by its name in metrics, counts as critical where approval asks for importance, and has no known revenue.";
  return { heading: "What it knows of your services", lines: [...(names.length === 0 ? [none] : lines), ...graph] };
}

function externalWords(external: readonly string[]): string {
  return external.length === 0
    ? ""
    : `; ${listed(external)} ${external.length === 1 ? "is" : "are"} external and cannot be rolled back`;
}

function serviceWords(service: ServiceConfig, currency: Config["currency"]): readonly string[] {
  const minute =
    currency === undefined ? " a minute, in a currency that the file does not name" : ` ${currency} a minute`;
  return [
    `${service.criticality} importance`,
    ...(service.mode === null ? [] : [`mode ${service.mode}, whatever the file's mode`]),
    ...(service.workload === null ? [] : [`${service.workload.kind} ${service.workload.name}`]),
    ...(service.namespace === null ? [] : [`namespace ${service.namespace}`]),
    ...(service.argocdApplication === null ? [] : [`Argo CD application ${service.argocdApplication}`]),
    ...(service.flags.length === 0
      ? []
      : [`${service.flags.length === 1 ? "flag" : "flags"} ${listed(service.flags)}`]),
    ...(service.revenuePerMinute === null ? [] : [`revenue of ${service.revenuePerMinute}${minute}`]),
    ...service.routes.map(({ route, revenuePerMinute }) => `${route} earns ${revenuePerMinute}${minute}`),
  ];
}
