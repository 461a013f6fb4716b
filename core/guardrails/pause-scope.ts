import { pausesAll } from "./gate-store.ts";

/**
 * What a pause is for: "all", however it is spelled, or a service; or why nothing is to be paused under this name. One that the
 * file does not know would stop nothing and look as if it did; where the file names no services, any may be meant.
 */
export function pauseScope(
  asked: string,
  services: readonly string[],
): { readonly scope: string } | { readonly what: string; readonly refused: "no name" | "unknown" } {
  const scope = asked.trim();
  if (pausesAll(scope)) return { scope: "all" };
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._/-]*$/u.test(scope)) return { what: "scope", refused: "no name" };
  if (services.length > 0 && !services.includes(scope)) return { what: `scope "${scope}"`, refused: "unknown" };
  return { scope };
}
