import { USUAL_WINDOW_MS } from "../../core/config/derive/draft.ts";
import type { Ranked } from "../../core/config/derive/evidence.ts";
import { parseDuration } from "../../core/config/durations.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Composition } from "./composition.ts";
import { plain } from "./output.ts";
import type { ClusterChoice, ClusterSurvey, FlagsChoice } from "./survey.ts";

/** The options of `unship init`. */
export interface InitOptions {
  readonly prometheus?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: readonly string[];
  readonly argocd?: string;
  /** "unleash=URL", "launchdarkly", "flagsmith=URL". */
  readonly flags?: string;
  readonly flagsProject?: string;
  readonly flagsEnvironment?: string;
  readonly flagsEnvironmentKey?: string;
  readonly flagsToken?: string;
  readonly requestMetric?: string;
  readonly latencyMetric?: string;
  readonly serviceLabel?: string;
  readonly versionLabel?: string;
  /** Where Zipkin's API answers. */
  readonly zipkin?: string;
  /** "observe" unless told. */
  readonly mode?: "observe" | "approve";
  /** Name of one approver, whose token is asked for, or in `tokenFile`. */
  readonly approver?: string;
  readonly tokenFile?: string;
  /** A duration, such as 5m: what rates are averaged over. */
  readonly window?: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** The variables that hold the tokens of flag servers where no other is named. */
const TOKENS = { unleash: "UNLEASH_TOKEN", launchdarkly: "LD_API_KEY", flagsmith: "FLAGSMITH_TOKEN" } as const;

/** Two samples of a Prometheus that scrapes each second or two: a rate needs that many. */
const LEAST_WINDOW_MS = 5000;

interface Chosen {
  readonly label: string;
  readonly why: string;
}

/** What has to be known before anything is asked of a server: from an option, else from a person, else from what was found. */
export interface Asker {
  /** Whether a file that is there may be replaced; throws "input.invalid" where it is there and may not. */
  mayWrite(out: string): Promise<boolean>;
  prometheus(detected: string | null): Promise<string>;
  /** null: no cluster is asked. */
  cluster(detected: string | null): Promise<ClusterChoice | null>;
  argocd(): Promise<string | null>;
  flags(): Promise<FlagsChoice | null>;
  /** null: no spans are read. */
  zipkin(): string | null;
  /** What rates are averaged over, ms. */
  windowMs(): number;
  /** null: none fits, or none is wanted. */
  label(of: "service" | "version", ranked: readonly Ranked[]): Promise<Chosen | null>;
  namespaces(cluster: ClusterSurvey | null, derived: readonly string[]): Promise<readonly string[]>;
}

/** Names from an option that may be given several times, or with commas. */
export const wanted = (names: readonly string[] | undefined): readonly string[] =>
  (names ?? [])
    .flatMap((one) => one.split(","))
    .map((one) => one.trim())
    .filter((one) => one !== "");

export function createAsker({ terminal, isThere }: Composition, options: InitOptions): Asker {
  const ask = terminal.ask ?? null;

  /** One question; an empty answer takes what stands in brackets. Whoever gives up ends the command. */
  async function question(text: string, usual: string): Promise<string> {
    const answer = await ask?.(plain(`${text}${usual === "" ? "" : ` [${usual}]`}: `));
    if (answer === null || answer === undefined) throw invalid("init", "it was given up, and nothing was written");
    return answer.trim() === "" ? usual : answer.trim();
  }
  const agrees = async (text: string, usual: "yes" | "no") => /^y/i.test(await question(`${text} (yes, no)`, usual));

  return {
    async mayWrite(out) {
      if (options.force === true || !(await isThere(out))) return options.force === true;
      if (ask !== null && (await agrees(`${out} is there already. Replace it?`, "no"))) return true;
      throw invalid(out, "it is there already; --force replaces it, --out FILE writes elsewhere");
    },

    async prometheus(detected) {
      const given =
        options.prometheus ?? (ask === null ? detected : await question("URL of Prometheus", detected ?? ""));
      if (given === null || given === "") {
        throw invalid(
          "--prometheus",
          "it is needed: no terminal to ask at, and nothing answers at http://127.0.0.1:9090",
        );
      }
      return url("--prometheus", given);
    },

    async cluster(detected) {
      const { kubeconfig, context } = options;
      const namespaces = wanted(options.namespace);
      const isNamed = kubeconfig !== undefined || context !== undefined || namespaces.length > 0;
      if (!isNamed) {
        if (ask === null) return null;
        const usual = detected ?? "none";
        const answer = await question("kubeconfig of the cluster, or none", usual);
        return answer === "none" ? null : { kubeconfig: answer, context: null, namespaces };
      }
      return { kubeconfig: kubeconfig ?? null, context: context ?? null, namespaces };
    },

    async argocd() {
      if (options.argocd !== undefined) return url("--argocd", options.argocd);
      if (ask === null) return null;
      const answer = await question("URL of Argo CD, or none", "none");
      return answer === "none" ? null : url("Argo CD", answer);
    },

    async flags() {
      const given =
        options.flags ??
        (ask === null
          ? "none"
          : await question("Feature flags: unleash=URL, launchdarkly, flagsmith, or none", "none"));
      return given === "none" ? null : flagsChoice(given, options);
    },

    zipkin: () => (options.zipkin === undefined ? null : url("--zipkin", options.zipkin)),

    windowMs() {
      if (options.window === undefined) return USUAL_WINDOW_MS;
      const windowMs = parseDuration(options.window);
      if (windowMs !== null && windowMs >= LEAST_WINDOW_MS) return windowMs;
      throw invalid("--window", `"${options.window}" is no duration of 5s or more, such as 5m`);
    },

    async label(of, ranked) {
      const named = of === "service" ? options.serviceLabel : options.versionLabel;
      const [best] = ranked;
      const usual = named ?? best?.label ?? "none";
      const answer =
        ask === null || named !== undefined ? usual : await question(`Label that names the ${of}, or none`, usual);
      if (answer === "none") return null;
      if (!/^[A-Za-z_]\w*$/.test(answer)) throw invalid(`--${of}-label`, `"${answer}" is no label's name`);
      const found = ranked.find(({ label }) => label === answer);
      return { label: answer, why: found?.why ?? "as you said" };
    },

    async namespaces(cluster, derived) {
      if (cluster === null || ask === null || wanted(options.namespace).length > 0) return derived;
      return wanted([await question("Namespaces to watch", derived.join(","))]);
    },
  };
}

const invalid = (what: string, reason: string): UnshipError => new UnshipError("input.invalid", { what, reason });

/** An address without anything secret in it: what it carries would stand in the file. */
function url(what: string, text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw invalid(what, 'it is no http or https URL; write it like "https://prometheus.example:9090"');
  }
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "" || parsed.hash !== "") {
    throw invalid(
      what,
      "it carries a user, a password or a query, which would be kept in the file; put a token into PROMETHEUS_TOKEN or ARGOCD_TOKEN",
    );
  }
  return text.replace(/\/+$/, "");
}

function flagsChoice(given: string, options: InitOptions): FlagsChoice {
  const [type = "", ...rest] = given.split("=");
  const endpoint = rest.length === 0 ? null : url("--flags", rest.join("="));
  if (type !== "unleash" && type !== "launchdarkly" && type !== "flagsmith") {
    throw invalid("--flags", `"${type}" is none; write unleash=URL, launchdarkly or flagsmith`);
  }
  if (type === "unleash" && endpoint === null) throw invalid("--flags", "write where it answers: unleash=URL");
  const { flagsProject, flagsEnvironmentKey } = options;
  if (type === "flagsmith" && (!/^[1-9]\d*$/.test(flagsProject ?? "") || flagsEnvironmentKey === undefined)) {
    throw invalid("--flags", "flagsmith needs --flags-project NUMBER and --flags-environment-key KEY");
  }
  const tokenVariable = options.flagsToken ?? TOKENS[type];
  if (!/^[A-Za-z_]\w*$/.test(tokenVariable))
    throw invalid("--flags-token", "it names a variable, never the token itself");
  return {
    type,
    endpoint,
    tokenVariable,
    project: flagsProject ?? "default",
    environment: options.flagsEnvironment ?? "production",
    environmentKey: flagsEnvironmentKey ?? null,
  };
}
