const MILLION = 1e6;
/** Beyond one in a billion a larger number tells nobody more. */
const BILLION = 1e9;
const MOST_NATS = 50;

/**
 * How seldom evidence of this much (nats, the logarithm of an e-value) comes by chance alone: "at most one in 8.9 million by
 * chance". One over an e-value bounds that chance whenever it is read. Pure.
 * @see Ville (1939), Étude critique de la notion de collectif: P(an e-process ever reaches x) ≤ 1 / x
 */
export function byChanceText(nats: number): string {
  if (nats < Math.LN2) return "which chance explains as well";
  const times = Number(Math.exp(Math.min(nats, MOST_NATS)).toPrecision(2));
  if (times >= BILLION) return "less than one in a billion by chance";
  const [shown, unit] = times >= MILLION ? [times / MILLION, " million"] : [times, ""];
  return `at most one in ${shown.toLocaleString("en-US")}${unit} by chance`;
}
