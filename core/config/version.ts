import type { Config } from "./config.ts";

/**
 * What a configuration says, as one text that is the same for two files where they mean the same: comments, blanks, the order
 * of keys and defaults that are written out change nothing. The value of a secret that stands in the file as it is has no
 * part in it (S10), as it decides nothing. Pure.
 */
export function policyText(config: Config): string {
  const { filled: _filled, modeIsDefault: _default, modeIsAsked: _asked, vain: _vain, ...read } = config;
  const { version: _version, file: _file, ...said } = read;
  return JSON.stringify(said, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    if ("from" in value && value.from === "text") return { from: "text" };
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}
