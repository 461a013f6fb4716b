import { cleanText } from "../../core/model/untrusted-text.ts";
import { type EvidencePool, poolOf } from "./evidence-pool.ts";
import type { Claims } from "./step.ts";

/** A count this small is said of things that stand in front of the reader ("two services"), and is not looked up. */
const SMALL_COUNT = 10;
/** Figures are rounded when people and models repeat them; half a percent is three significant digits. */
const ROUNDING = 0.005;

/** What people turn a figure into when they say it: a ratio into percent, ms into s or min, s into min. */
function saidAs(known: number): readonly number[] {
  return Math.abs(known) <= 1 ? [known, known * 100] : [known, known / 1000, known / 60, known / 60_000];
}

const PROSE_NUMBER = /[\w.:/@+-]*\d[\w.:/@+-]*%?/g;
const QUANTITY = /^(-?\d+(?:\.\d+)?)(?:%|x|ms|s|m|min|h|d|req\/s|rps)?[.:]?$/i;

/**
 * Looks every claim up in what the tools said (and in the checked answers that the step was given). Returns one
 * sentence for each that is not there; none: the answer is grounded. Pure.
 */
export function ungrounded(claims: Claims, results: readonly unknown[]): readonly string[] {
  const pool = poolOf(results);
  const named = (kind: string, names: readonly string[]) =>
    [...new Set(names)]
      .filter((one) => one !== "" && !pool.strings.has(one))
      .map((one) => `no tool result names the ${kind} "${cleanText(one, 100)}"`);
  const figures = claims.figures
    .filter((value) => !hasFigure(pool, value))
    .map((value) => `no tool result has the figure ${value}`);
  const said = [...new Set(claims.prose.flatMap((sentence) => sentence.match(PROSE_NUMBER) ?? []))]
    .filter((word) => !hasWord(pool, word))
    .map((word) => `no tool result has the figure "${cleanText(word, 60)}"`);
  return [...named("change", claims.changeIds), ...named("service", claims.services), ...figures, ...said];
}

function hasWord(pool: EvidencePool, word: string): boolean {
  const quantity = QUANTITY.exec(word)?.[1];
  // A version, an id, a time of day: as it stands, or not at all.
  if (quantity === undefined) return pool.text.includes(word.replace(/[.:]$/, ""));
  const value = Number(quantity);
  return (Number.isInteger(value) && Math.abs(value) <= SMALL_COUNT) || hasSaid(pool, value);
}

const close = (known: number, value: number) => Math.abs(known - value) <= Math.abs(known) * ROUNDING + Number.EPSILON;

/** A figure of an answer's own field: the tools' figure, in the tools' unit. */
const hasFigure = (pool: EvidencePool, value: number) =>
  pool.moments.includes(value) || pool.numbers.some((known) => close(known, value));

/** A figure in a sentence: rounded, in another unit, or a span between two moments; also one that a log line says. */
const hasSaid = (pool: EvidencePool, value: number) =>
  [...pool.numbers, ...pool.quoted].some((known) =>
    saidAs(known).some((one) => close(one, value) || roundsTo(one, value)),
  ) || isSpan(pool.moments, value);

/** 0.8734 said as 0.87 or 0.9: rounded to the decimals that were written, two significant digits at least. */
function roundsTo(known: number, said: number): boolean {
  const decimals = /\.(\d+)$/.exec(String(said))?.[1]?.length ?? 0;
  return Math.abs(said) >= SMALL_COUNT && Number(known.toFixed(decimals)) === said;
}

/** A span between two known moments, in seconds or minutes, to the nearest one. */
function isSpan(moments: readonly number[], value: number): boolean {
  return moments.some((a) =>
    moments.some((b) => a > b && (Math.abs((a - b) / 1000 - value) <= 1 || Math.abs((a - b) / 60_000 - value) <= 1)),
  );
}
