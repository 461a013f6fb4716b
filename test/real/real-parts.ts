import { missingParts, openParts, type RealParts } from "../../evals/real-kubernetes/parts.ts";
import { requireInstalled } from "../real-component.ts";

/** The folder that `npm run real-parts` filled, as `UNSHIP_REAL_PARTS` names it; null where it names none. */
export function realParts(): RealParts | null {
  const folder = process.env.UNSHIP_REAL_PARTS ?? "";
  return folder === "" ? null : openParts(folder);
}

/**
 * Whether these programs are in the folder that `UNSHIP_REAL_PARTS` names. Where it names none, says what is not run and
 * the caller skips: nobody is asked to compile for half an hour. Where a folder is given and lacks one, that is a missing
 * component as any other (`requireInstalled`).
 */
export function hasRealParts(what: string, names: readonly string[]): boolean {
  const parts = realParts();
  if (parts === null) {
    console.warn(`not run: ${what} (npm run real-parts -- DIR, then UNSHIP_REAL_PARTS=DIR)`);
    return false;
  }
  const missing = missingParts(parts, names);
  return requireInstalled(
    missing.length === 0,
    `${missing.join(", ")} (for ${what})`,
    `npm run real-parts -- ${parts.folder}`,
  );
}
