import { nearest } from "../nearest.ts";
import { quoted, write } from "./write.ts";

/** What is wrong with a text that should be an address, and what to do about it. Only the hint is made of the text. */
export interface Wrong {
  readonly what: string;
  readonly hint: string;
}

const SCHEMES = ["http", "https"];
/** Names that are served within a cluster or on this machine are mostly served without TLS. */
const INSIDE = /^(?:localhost|127\.|\[::1\]|[^/]*\.svc\b|[^/.:]+(?::|\/|$))/;
const EXAMPLE = 'write it like "https://prometheus.example:9090"';

/** What is wrong with a text as an http or https URL; null: it is one that carries no secret. */
export function urlWrong(text: string): Wrong | null {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed !== null && SCHEMES.includes(parsed.protocol.slice(0, -1))) {
    if (parsed.username === "" && parsed.password === "") return null;
    const bare = `${parsed.protocol}//${parsed.host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
    const hint = write(quoted(bare), ", and put the secret into token or api_key");
    return { what: "carries a user or password", hint };
  }
  const hole = /<[^<>]*>|\{\{[^{}]*\}\}/.exec(text)?.[0];
  return { what: "is no http or https URL", hint: hole === undefined ? urlHint(text) : `fill in ${hole}` };
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

/** Each repair is offered only where a URL comes of it, and nothing is guessed that may be a secret. */
function urlHint(text: string): string {
  if (text.includes("@")) return EXAMPLE;
  const [, scheme = "", rest = ""] = /^([a-z]+):\/*(.*)$/is.exec(text) ?? [];
  const meant = rest === "" || isPort(rest.split("/")[0] ?? "") ? null : nearest(scheme, SCHEMES);
  const address = meant === null ? text.replace(/^\/+/, "") : rest;
  const plain = meant ?? (INSIDE.test(address) ? "http" : "https");
  const noPort = address.replace(/:[^/?#:\]]*(?=[/?#]|$)/, "");
  const candidates = [`${plain}://${address}`, ...(meant === null ? [] : [`${plain}://${noPort}`])];
  const good = candidates.find((one) => /^https?:\/\/[\w.[]/.test(one) && !/\s/.test(one) && URL.canParse(one));
  if (good === undefined) return EXAMPLE;
  const port =
    good === candidates[1] ? ", with the number of the port after a colon unless it is the scheme's own" : "";
  return write(quoted(good), port);
}

/** What to write for a text that is no address to listen at: the scheme goes, the port comes. */
export function addressHint(text: string, example: string): string {
  const [, port = ""] = /:(\d+)$/.exec(example) ?? [];
  const bare = text
    .trim()
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/\/.*$/, "");
  if (/^\d{1,5}$/.test(bare) && isPort(bare)) return write(quoted(`127.0.0.1:${bare}`), "");
  if (/^(?:[\w.-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i.test(bare)) return write(quoted(bare));
  const host = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?=:|$)/i.exec(bare)?.[0];
  return host === undefined ? `an address and a port: ${quoted(example)}` : write(quoted(`${host}:${port}`), ", say");
}
