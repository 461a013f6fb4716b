import type { Gap } from "./assessment.ts";

/**
 * What sources of changes did not say, in words; empty where each of them answered. What one of them would have named may
 * explain what no known change does, so that "no change is to blame" is not known either (S9).
 */
export const unheardChanges = (gaps: readonly Gap[]): readonly string[] => gaps.filter(isOfChanges).map(unheardText);

export const isOfChanges = ({ what }: Gap): boolean => /^changes\b/.test(what);

export const unheardText = ({ source, what, because }: Gap): string => `${source} did not say ${what}: ${because}`;
