import { draftText } from "../../core/config/derive/draft.ts";
import type { Ranked } from "../../core/config/derive/evidence.ts";
import { matchServices } from "../../core/config/derive/services.ts";
import { formatProblem } from "../../core/config/load.ts";
import { HOW_TO_GET_VERSIONS } from "../../core/config/proof/labels.ts";
import { UnshipError } from "../../core/errors.ts";
import { approverKeyOf } from "./approver-key.ts";
import { check } from "./check.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type Derivation, derive, draftOf, queriesOf, servicesBy, watchedNamespaces } from "./init-draft.ts";
import { type Asker, createAsker, type InitOptions, wanted } from "./init-questions.ts";
import { say } from "./output.ts";
import type { ArgocdSurvey, ClusterSurvey, FlagsChoice, MetricsSurvey, Surveyor } from "./survey.ts";

/** So many of a kind are listed; the rest is counted. */
const LISTED = 6;

/**
 * `unship init`: asks Prometheus, Kubernetes, Argo CD, the flag server and Zipkin what is there, derives a configuration from
 * it, in mode observe or, where told, approve with one approver, says what each choice was derived from and what lacks, writes it, and runs `check` on it. On a terminal it
 * asks, each question with what was found as its default; elsewhere it takes options. An existing file is left alone unless
 * told; secrets are never written, only names of variables.
 *
 * Exit code as `check` has it; 2 where an option lacks or the file is there already, 3 where Prometheus, or another source that
 * was asked for, does not answer.
 */
export async function init(to: Composition, options: InitOptions, abort: AbortSignal): Promise<ExitCode> {
  const asker = createAsker(to, options);
  const out = options.out ?? "unship.yaml";
  const replace = await asker.mayWrite(out);
  const windowMs = asker.windowMs();
  const mode = options.mode ?? "observe";
  const approver = await readApprover(to, options);
  const surveyor = await to.survey();
  const detected = await surveyor.detect(abort);
  const endpoint = await asker.prometheus(detected.prometheus);
  const metrics = await surveyor.metrics(endpoint, abort);
  say(to, metricsLines(endpoint, metrics));
  const missing: string[] = [];
  const trying = async <T>(what: string, ask: () => Promise<T>): Promise<T | null> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UnshipError) || error.code === "input.invalid") throw error;
      missing.push(`${what}: ${error.message}`);
      return null;
    }
  };
  const cluster = await readCluster(asker, surveyor, detected.kubeconfig, trying, abort);
  if (cluster !== null) say(to, clusterLines(cluster));
  const argocd = await readArgocd(asker, surveyor, trying, abort);
  const flags = await readFlags(asker, surveyor, trying, missing, abort);
  const traces = await readTraces(asker, surveyor, trying, abort);
  const down = missing.length;
  if (argocd !== null)
    say(to, [`Argo CD ${argocd.endpoint}: version ${argocd.survey.version}, ${listed(argocd.survey.applications)}`]);
  if (flags !== null)
    say(to, [
      `${flags.choice.type}: ${flags.keys.length} flags in ${flags.choice.project}/${flags.choice.environment}`,
    ]);

  if (traces !== null) say(to, [`Zipkin ${traces.endpoint}: ${traces.why}`]);

  const workloads = cluster?.workloads ?? null;
  const first = derive(metrics, workloads, options);
  say(to, metricChoiceLines(first));
  say(to, rankedLines("Labels that may name the service", first.serviceLabels));
  const serviceLabel = await asker.label("service", first.serviceLabels);
  const derivation = derive(metrics, workloads, { ...options, serviceLabel: serviceLabel?.label });
  say(to, rankedLines("Labels that may name the version", derivation.versionLabels));
  const versionLabel = await asker.label("version", derivation.versionLabels);
  const services = servicesBy(derivation, serviceLabel?.label ?? null);
  const namespaces = await asker.namespaces(cluster, watchedNamespaces(cluster, services, wanted(options.namespace)));
  say(to, serviceLines(services, cluster, namespaces));
  missing.push(...lacks(derivation, cluster, serviceLabel !== null, versionLabel !== null));

  const highest = async (metric: string) => {
    const query = queriesOf(derivation, windowMs).find((one) => one.metric === metric);
    if (query === undefined || serviceLabel === null) return null;
    const asked = { endpoint, metric, query: query.query, unit: query.unit, serviceLabel: serviceLabel.label };
    return await surveyor.highest(asked, abort).catch((error: unknown) => {
      if (!(error instanceof UnshipError)) throw error;
      missing.push(`the highest ${metric} of the last day: ${error.message}`);
      return null;
    });
  };
  const text = draftText(
    draftOf({
      mode,
      approver,
      windowMs,
      traces,
      endpoint,
      metrics,
      cluster,
      argocd,
      flags,
      derivation,
      serviceLabel,
      versionLabel,
      namespaces,
      errors: await highest("error_rate"),
      latency: await highest("p99_latency"),
      notes: derivation.versionLabels.length === 0 ? [`No label tells versions apart: ${HOW_TO_GET_VERSIONS}.`] : [],
    }),
  );
  const problems = await to.loads(text);
  if (problems.length > 0) {
    say(to, ["", text, ...problems.map(formatProblem)]);
    throw new UnshipError("input.invalid", {
      what: out,
      reason: "nothing was written, since what was derived does not load; see above",
    });
  }
  if (missing.length > 0) say(to, ["", "Not found:", ...missing.map((one) => `  - ${one}`)]);
  await to.writeNew(out, text, { replace });
  const lines = text.trimEnd().split("\n").length;
  say(to, ["", `Written: ${out}, ${lines} lines, mode ${mode}: ${DOES[mode]}. unship check -c ${out}:`]);
  const code = await check(to, { config: out, brief: true }, abort);
  return code === EXIT.ok && down > 0 ? EXIT.unavailable : code;
}

const DOES = {
  observe: "nothing is executed",
  approve: "nothing is executed without a person's approval",
} as const;

/** The approver that the file names, by the public key of their token; null: nobody was named. */
async function readApprover(to: Composition, { mode, approver, tokenFile }: InitOptions) {
  const invalid = (what: string, reason: string) => new UnshipError("input.invalid", { what, reason });
  if (approver === undefined) {
    if (mode === "approve") throw invalid("--mode approve", "nobody could approve; name who may with --approver NAME");
    if (tokenFile !== undefined)
      throw invalid("--token-file", "whose token it is has to be named with --approver NAME");
    return null;
  }
  if (approver.trim() === "") throw invalid("--approver", "the name is empty");
  return { name: approver.trim(), tokenKey: await approverKeyOf(to, tokenFile) };
}

async function readTraces(asker: Asker, surveyor: Surveyor, trying: Trying, abort: AbortSignal) {
  const endpoint = asker.zipkin();
  if (endpoint === null) return null;
  const services = await trying("Zipkin", () => surveyor.spans(endpoint, abort));
  return services === null ? null : { endpoint, why: `spans of ${services} services` };
}

type Trying = <T>(what: string, ask: () => Promise<T>) => Promise<T | null>;

async function readCluster(
  asker: Asker,
  surveyor: Surveyor,
  detected: string | null,
  trying: Trying,
  abort: AbortSignal,
): Promise<ClusterSurvey | null> {
  const choice = await asker.cluster(detected);
  return choice === null ? null : await trying("Kubernetes", () => surveyor.cluster(choice, abort));
}

async function readArgocd(asker: Asker, surveyor: Surveyor, trying: Trying, abort: AbortSignal) {
  const endpoint = await asker.argocd();
  if (endpoint === null) return null;
  const survey: ArgocdSurvey | null = await trying("Argo CD", () => surveyor.argocd(endpoint, abort));
  return survey === null ? null : { endpoint, survey };
}

async function readFlags(asker: Asker, surveyor: Surveyor, trying: Trying, missing: string[], abort: AbortSignal) {
  const choice: FlagsChoice | null = await asker.flags();
  if (choice === null) return null;
  const before = missing.length;
  const keys = await trying(choice.type, () => surveyor.flags(choice, abort));
  if (keys === null && missing.length === before) {
    missing.push(
      `${choice.type}: the variable ${choice.tokenVariable} is not set, so that it was not asked and is not in the file`,
    );
  }
  return keys === null ? null : { choice, keys };
}

const metricsLines = (endpoint: string, { version, metrics, tokenVariable }: MetricsSurvey): readonly string[] => [
  `Prometheus ${endpoint}: version ${version}, ${metrics} metrics${tokenVariable === null ? "" : ` (token from ${tokenVariable})`}`,
];

function clusterLines({ server, workloads, looked, narrowed }: ClusterSurvey): readonly string[] {
  const namespaces = [...new Set(workloads.map(({ namespace }) => namespace))].toSorted();
  const where = looked.includes("*") ? "every namespace" : looked.join(", ");
  return [
    `Kubernetes ${server}: ${workloads.length} workloads in ${where}`,
    ...namespaces.map(
      (one) => `  ${one}: ${listed(workloads.filter(({ namespace }) => namespace === one).map(({ name }) => name))}`,
    ),
    ...(narrowed === null ? [] : [`  Only ${where} was checked: ${narrowed} --namespace names others.`]),
  ];
}

function metricChoiceLines({ requests, otherRequests, latency }: Derivation): readonly string[] {
  return [
    requests === null
      ? "Requests: no metric that counts them"
      : `Requests: ${requests.family.name}, ${requests.why}; failures: ${requests.errors?.why ?? "nothing tells them apart"}`,
    ...otherRequests.slice(0, 2).map(({ family, why }) => `  also ${family.name}, ${why} (--request-metric)`),
    latency === null
      ? "Latency: no histogram that measures it by service"
      : `Latency: ${latency.family.name}, ${latency.why}`,
  ];
}

const rankedLines = (title: string, ranked: readonly Ranked[]): readonly string[] => [
  `${title}:${ranked.length === 0 ? " none" : ""}`,
  ...ranked.slice(0, 3).map(({ label, why }, index) => `  ${index + 1}. ${label}: ${why}`),
];

function serviceLines(
  services: readonly string[],
  cluster: ClusterSurvey | null,
  namespaces: readonly string[],
): readonly string[] {
  if (cluster === null) return [`Services: ${listed(services)}`];
  const watched = cluster.workloads.filter(({ namespace }) => namespaces.includes(namespace));
  const { byThemselves, toWrite, withoutWorkload, withoutMetrics } = matchServices(services, watched);
  return [
    `Services with metrics and a workload: ${listed([...byThemselves, ...toWrite.map(({ service }) => service)])}`,
    ...(withoutWorkload.length === 0 ? [] : [`  with metrics alone: ${listed(withoutWorkload)}`]),
    ...(withoutMetrics.length === 0
      ? []
      : [`  with a workload alone: ${listed(withoutMetrics.map(({ name }) => name))}`]),
  ];
}

/** What a person should know is not there, and what to do about each. */
function lacks(
  { requests, latency }: Derivation,
  cluster: ClusterSurvey | null,
  hasService: boolean,
  hasVersion: boolean,
): readonly string[] {
  return [
    ...(requests === null
      ? [
          "a metric that counts requests: expose one, such as http_requests_total with a status label, or name one with --request-metric",
        ]
      : requests.errors === null
        ? [`a label on ${requests.family.name} that tells failures apart: no error rate is judged`]
        : []),
    ...(latency === null ? ["a histogram of request durations by service: no latency is judged"] : []),
    ...(hasService ? [] : ["a label that names the service: add one to the scrape, or name one with --service-label"]),
    ...(hasVersion
      ? []
      : [`a label that names the version, so that a bad version is known by its timing alone: ${HOW_TO_GET_VERSIONS}`]),
    ...(cluster === null
      ? ["changes from Kubernetes: name --kubeconfig; without a source of deploys none is ever found at fault"]
      : []),
  ];
}

const listed = (names: readonly string[]): string =>
  names.length === 0
    ? "none"
    : `${names.slice(0, LISTED).join(", ")}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ""}`;
