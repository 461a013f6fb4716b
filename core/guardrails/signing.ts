import { skeleton } from "../model/skeleton.ts";

/**
 * A name that somebody gave without proof, as it is written down: whoever calls themselves what looks like the gate, or like an
 * approver, is a person who says so, and signs as neither (S14).
 */
export const unprovenName = (said: string, approvers: readonly { readonly name: string }[]): string =>
  looksProven(said, approvers) ? `person ${said}` : said;

/** Whether a name looks like one that only a proof gives: the gate's, or an approver's. */
const looksProven = (said: string, approvers: readonly { readonly name: string }[]): boolean =>
  ["gate", ...approvers.map(({ name }) => name)].some((one) => skeleton(one) === skeleton(said));
