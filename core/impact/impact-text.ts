import type { Config } from "../config/config.ts";
import type { Impact } from "../model/impact.ts";
import { shareText } from "../model/share-text.ts";

const REVENUE = "revenue at risk: ";

/**
 * "revenue at risk: 943 of 4,519 EUR/min", the same on every surface. `atRisk`, `total`: a minute, in the file's currency. null:
 * none is, to the whole unit, and nothing has to be said of it.
 */
export function revenueSentence(atRisk: number, total: number, currency: Config["currency"]): string | null {
  const [lost, all] = [Math.round(atRisk), Math.round(total)].map((value) => value.toLocaleString("en-US"));
  if (Math.round(atRisk) === 0) return null;
  return `${REVENUE}${lost} of ${all} ${currency === undefined ? "a minute, in the file's currency" : `${currency}/min`}`;
}

/** The figure of that sentence in what was assessed: "943 of 4,519 EUR/min"; null: nothing is at risk, or it is unknown. */
export function revenueFigure({ sentences }: Pick<Impact, "sentences">): string | null {
  return sentences.find(isOfRevenue)?.slice(REVENUE.length) ?? null;
}

/** Whether a sentence of an impact is the one on revenue. */
export const isOfRevenue = (sentence: string): boolean => sentence.startsWith(REVENUE);

/** "4.74 % of requests fail at web". `share`: 0 to 1. */
export const failingSentence = (share: number, service: string): string =>
  `${shareText(share)} of requests fail at ${service}`;

/** Where users come in and most requests failed, as `failingSentence` names it; null: none did, or none is known. */
export function failingAt({ sentences }: Pick<Impact, "sentences">): string | null {
  return sentences.flatMap((one) => / of requests fail at (.+)$/s.exec(one)?.[1] ?? [])[0] ?? null;
}

/** Each sentence of an impact says what is; what is over is told in the past. */
const PAST: readonly (readonly [RegExp, string])[] = [
  [/( of requests) fail( at )/, "$1 failed$2"],
  [/^(\S+ of \S+) is( .*the baseline)$/s, "$1 was$2"],
  [/( of traced user requests) fail$/, "$1 failed"],
  [/( users in the traces) met( a failure)/, "$1 met$2"],
  [/(: at that rate the error budget) is( exhausted in )/, "$1 would have been$2"],
  [/^(worst route: .*) fail$/s, "$1 failed"],
];

/** A sentence of an impact as it is told of what is over. Pure. */
export function inThePast(sentence: string): string {
  const rule = PAST.find(([present]) => present.test(sentence));
  return rule === undefined ? sentence : sentence.replace(...rule);
}
