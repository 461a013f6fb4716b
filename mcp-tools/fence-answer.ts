import type { CaseFile } from "../core/model/assessment.ts";
import { name, quote } from "../core/model/untrusted-text.ts";

/** Fields of the core's answers that hold its own sentences; what they quote from outside stands between `"` in them. */
const SENTENCES = new Set([
  "sentence",
  "sentences",
  "because",
  "why",
  "needsPerson",
  "unknown",
  "widened",
  "whyNoRollback",
  "mitigation",
  "check",
]);

/** Fields that hold outside text as it is: paths and log signatures. */
const OUTSIDE = new Set(["suspects"]);

const FENCED = /^«[^«»]*»$/;

/** A shorter name says nothing, and may be any syllable of a sentence. */
const TELLING = 4;

/** The fence around what the core's answers hold from outside, and back again. */
export interface AnswerFence {
  /**
   * An answer of the core on its way to a caller: what its sentences quote (a log signature, a commit message) gets
   * the fence of all outside text, and so does every name that does not look like one, wherever it stands. No name can
   * carry the fence's own marks (S11). What is fenced already stays so.
   */
  fence<T>(answer: T): T;
  /** An answer that a caller gives back: the names that `fence` fenced are themselves again. */
  unfence<T>(answer: T): T;
}

/** The fence for answers about this evidence: its names are known. */
export function answerFence(file: CaseFile): AnswerFence {
  const odd = [...new Set(namesOf(file))].filter((one) => one !== "" && name(one) !== one);
  const fenced = new Map(odd.map((one) => [one, quote(one, 200)]));
  const back = new Map([...fenced].map(([plain, marked]) => [marked, plain]));

  /** What is to be found in these sentences: quotations, fences, the odd names that stand in them, stray marks. */
  function patternFor(sentences: readonly string[]): RegExp {
    const all = sentences.join("\n");
    const present = odd
      .filter((one) => one.length >= TELLING && all.includes(one))
      .toSorted((a, b) => b.length - a.length);
    const literal = present.map((one) => one.replaceAll(/[^\p{L}\p{N}\s]/gu, "\\$&"));
    return new RegExp(['"[^"]*"', '«[^«»"]*»', ...literal, "[«»]"].join("|"), "g");
  }

  function sentence(text: string, pattern: RegExp): string {
    return text.replaceAll(pattern, (found) => {
      if (fenced.has(found)) return fenced.get(found) ?? found;
      if (found.length > 1 && found.startsWith('"')) return `«${unmarked(found.slice(1, -1))}»`;
      return found.length > 1 ? found : unmarked(found);
    });
  }

  return {
    fence(answer) {
      const sentences: string[] = [];
      walk(answer, (text, key) => {
        if (SENTENCES.has(key)) sentences.push(text);
        return text;
      });
      const pattern = patternFor(sentences);
      return walk(answer, (text, key) => {
        if (OUTSIDE.has(key)) return FENCED.test(text) ? text : name(text);
        return SENTENCES.has(key) ? sentence(text, pattern) : (fenced.get(text) ?? kept(text));
      });
    },
    unfence: (answer) => walk(answer, (text) => back.get(text) ?? text),
  };

  /** A name that was fenced before and came back; any other text loses the marks. */
  function kept(text: string): string {
    return back.has(text) ? text : unmarked(text);
  }
}

const unmarked = (text: string): string => text.replaceAll("«", "‹").replaceAll("»", "›");

/** Every name that the core may repeat, as the evidence spells it. */
function namesOf(file: CaseFile): readonly string[] {
  const { series, findings, changes, topology, logs, spans, flags, rollouts } = file;
  return [
    ...series.flatMap(({ service, labels }) => [service, ...Object.values(labels)]),
    ...findings.map(({ service }) => service),
    ...changes.flatMap(({ id, service, from, to, flag, environment, author, commit, diff, requires }) => [
      ...[id, service, from, to, flag, environment, author, commit].filter((one) => one !== undefined),
      ...(diff?.paths ?? []),
      ...Object.entries(requires ?? {}).flat(),
    ]),
    ...(topology === null ? [] : [...topology.edges.flat(), ...topology.external]),
    ...logs.flatMap(({ service, version }) => (version === undefined ? [service] : [service, version])),
    // A span's own name is in no answer: the routes that the core names come from labels and from the file.
    ...spans.flatMap(({ service, callee }) => (callee === undefined ? [service] : [service, callee])),
    ...flags.flatMap(({ key, environment }) => [key, environment]),
    ...rollouts.flatMap(({ service, version, revisions, workload }) => [
      ...[service, version, workload.namespace, workload.name],
      ...revisions.map((one) => one.version),
    ]),
  ];
}

function walk<T>(value: T, text: (text: string, key: string) => string, key = ""): T {
  return walked(value, text, key) as T;
}

function walked(value: unknown, text: (text: string, key: string) => string, key: string): unknown {
  if (typeof value === "string") return text(value, key);
  if (Array.isArray(value)) return value.map((one) => walked(one, text, key));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, walked(one, text, field)]));
}
