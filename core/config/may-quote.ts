import { isSecret } from "./variables.ts";
import type { Path } from "./yaml-tree.ts";

/**
 * Whether a message or a hint may repeat what is written at a path: no secret, nothing by which a person is identified, and no
 * text in which a URL may carry a password, whether that is where a secret belongs or not (S10).
 */
export function mayQuote(value: unknown, path: Path): boolean {
  return !isPrivate(path) && !holdsPassword(value);
}

function isPrivate(path: Path): boolean {
  return isSecret(path) || ["token_sha256", "token_key"].includes(String(path.at(-1)));
}

/** `//user:password@host`, and the same without its scheme. */
const PASSWORD = /\/\/[^/]*@|^[^\s/:@]+:[^\s/@]+@/;

function holdsPassword(value: unknown): boolean {
  if (typeof value === "string") return PASSWORD.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsPassword);
}
