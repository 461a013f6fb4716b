import { withoutSecrets } from "./model/secrets/deep.ts";
import { name } from "./model/untrusted-text.ts";

/**
 * The error catalogue: a code to branch on, whether trying again can help, and a sentence of ours.
 *
 * `text` is filled from facts that we know ({source}, {status}, …; {: reason} where there is one). What a remote said enters it
 * within the fence alone, as `peerMessage` cleans it, and a reason that repeats any of it quotes that (`quote`); all else stays in `cause`, for logs
 * (S10, S11). Add a code here before throwing a new kind of error.
 */
export const ERRORS = {
  "config.invalid": { retry: false, text: "{file}: nothing was started. Problems: {count}." },
  "config.unreadable": { retry: false, text: "{file} cannot be read: {reason}." },
  "source.unavailable": {
    retry: true,
    text: "{source} gave no usable answer{: reason}; what it would say is unknown.",
  },
  "source.slow": {
    retry: true,
    text: "{source} did not answer within {seconds} s; what it would say is unknown.",
  },
  "source.pending": {
    retry: true,
    text: "{source} has not answered since {since}; what it would say is unknown.",
  },
  "source.refused": { retry: false, text: "{source} refused the request with status {status}{: said}." },
  "source.not_found": { retry: false, text: "{source} has no {what}{: said}." },
  "source.conflict": { retry: true, text: "{source} holds a newer version of {what}; read it again." },
  "source.shape": { retry: false, text: "{source} sent a body that this version does not understand{: reason}." },
  "source.too_large": { retry: false, text: "{source} sent more than {limit}; {narrow}." },
  "target.stale": { retry: false, text: "{target} is no longer at {expected}; it is at {actual}." },
  "target.refused": { retry: false, text: "{target} cannot be rolled back: {reason}." },
  "plan.unknown": { retry: false, text: "There is no plan {plan}." },
  "plan.expired": { retry: false, text: "Plan {plan} expired at {at}; ask for a new one." },
  "plan.changed": { retry: false, text: "Plan {plan} does not match the hash it was approved with." },
  "permit.invalid": { retry: false, text: "Plan {plan} has no live permit; submit it again." },
  "identity.refused": { retry: false, text: "Nobody's answer: {reason}." },
  "approval.refused": { retry: false, text: "The {what} was refused: {reason}." },
  "ledger.unavailable": { retry: true, text: "The ledger cannot be {use}: {reason}." },
  "ledger.corrupt": { retry: false, text: "The ledger's {what} is damaged: {reason}. Run: unship audit verify." },
  "watch.running": {
    retry: true,
    text: "Another watch works on {ledger}, or a gate; one ledger takes one. Stop the other first.",
  },
  "gate.unavailable": {
    retry: true,
    text: "The gate at {where} did not answer: {reason}. What it did, if anything, is recorded in its ledger.",
  },
  "gate.refused": { retry: false, text: "The gate refused it: {reason}." },
  "incident.unknown": { retry: false, text: "There is no incident {incident}." },
  "service.unknown": { retry: false, text: "There is no service {service}; known are {known}." },
  "metric.unknown": { retry: false, text: "There is no metric {metric}; known are {known}." },
  "input.invalid": { retry: false, text: "{what}: {reason}." },
  "bundle.invalid": { retry: false, text: "{file}:{line}: {reason}." },
  "bundle.unreadable": { retry: false, text: "{file} cannot be read: {reason}." },
  "replay.failed": { retry: false, text: "{bundle} could not be replayed: something in unship itself failed." },
  "model.unavailable": {
    retry: true,
    text: "The model gave no usable answer{: reason}; the deterministic result is kept.",
  },
  "store.unavailable": { retry: true, text: "The incident store cannot be used: {reason}." },
  "component.missing": { retry: false, text: "{component} is not installed; install {package}." },
} as const satisfies Record<string, { retry: boolean; text: string }>;

export type ErrorCode = keyof typeof ERRORS;
export type Facts = Readonly<Record<string, string | number>>;

/** An error of ours. `message` is safe to show to a person, a model or a log; `cause` is for logs alone. */
export class UnshipError extends Error {
  readonly code: ErrorCode;
  readonly facts: Facts;

  /** What a peer said of its failure may be among the facts: secrets in it are redacted here, for every error (S10). */
  constructor(code: ErrorCode, facts: Facts, options?: ErrorOptions) {
    const safe = withoutSecrets(facts, false);
    super(fill(ERRORS[code].text, safe, code.startsWith("source.") ? NAMED_BY_SOURCES : NAMED), options);
    this.name = "UnshipError";
    this.code = code;
    this.facts = safe;
  }

  /** Whether the same call may succeed later. */
  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

/** Facts that are names as somebody typed or spelled them: what does not look like one is fenced in the sentence (S11). */
const NAMED: ReadonlySet<string> = new Set(["plan", "incident", "service", "metric"]);
const NAMED_BY_SOURCES: ReadonlySet<string> = new Set([...NAMED, "what"]);

/** `{name}` is replaced by the fact; `{: name}` with the colon before it, or by nothing where it is not known. */
function fill(text: string, facts: Facts, names: ReadonlySet<string>): string {
  return text.replaceAll(/\{(: )?(\w+)\}/g, (whole, colon: string | undefined, key: string) => {
    const given = facts[key];
    const fact = typeof given === "string" && names.has(key) ? name(given) : given;
    if (colon === undefined) return String(fact ?? whole);
    return fact === undefined ? "" : `${colon}${fact}`;
  });
}
