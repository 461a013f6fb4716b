import { UnshipError } from "../../core/errors.ts";

declare const checked: unique symbol;
/** A path (and query) below a remote's base. Only `path` makes one, so that no name can lead a request elsewhere. */
export type Path = string & { readonly [checked]: true };

/**
 * Path and query of a request, each value encoded: path`/api/apps/${name}?tree=${tree}`. Throws `input.invalid` where
 * a value before the query is empty, where a segment consists of dots (RFC 3986 §5.2.4 resolves it away), where a
 * value is no well-formed text, and where the text does not begin with exactly one slash.
 */
export function path(texts: TemplateStringsArray, ...values: readonly (string | number | boolean)[]): Path {
  let whole = texts[0] ?? "";
  values.forEach((value, index) => {
    const one = encoded(String(value));
    if (one === "" && !whole.includes("?")) throw invalid("a name in it is empty");
    whole += one + (texts[index + 1] ?? "");
  });
  if (!/^\/(?!\/)/.test(whole)) throw invalid("it must begin with one slash");
  const segments = (whole.split("?")[0] ?? "").split("/");
  if (segments.some((segment) => segment === "." || segment === "..")) throw invalid("a name in it is made of dots");
  return whole as Path;
}

/** Path and query of a whole URL that people configured, as they stand: `URL` has encoded them and resolved its dots. */
export const pathOfUrl = ({ pathname, search }: URL): Path => `${pathname}${search}` as Path;

function encoded(value: string): string {
  if (!value.isWellFormed()) throw invalid("a name in it is no well-formed Unicode");
  return encodeURIComponent(value);
}

function invalid(reason: string): UnshipError {
  return new UnshipError("input.invalid", { what: "request path", reason });
}
