import { quote } from "./untrusted-text.ts";

/** What explains a failure stands in its first words; more would push out our own. */
const SAID_CHARS = 160;
/** Where APIs write the reason of a refusal, the most telling first. */
const FIELDS = ["message", "error", "detail", "details", "reason", "error_description", "title", "errors"];

/**
 * A peer's own words about a failure: cleaned, on one line, and within the fence of all outside text, so that they can stand
 * in a sentence of ours and cannot leave it (S10, S11). Null where it says nothing. Pure.
 */
export function peerMessage(text: string): string | null {
  const said = quote(text.replaceAll('"', "'"), SAID_CHARS);
  return said === "«»" ? null : said;
}

/** A sentence of ours with what the peer said: `status 400, saying «parse error»`. */
export const withSaid = (ours: string, said: string | null): string =>
  said === null ? ours : `${ours}, saying ${said}`;

/**
 * The message in the body of a refusal: of JSON the field that APIs keep it in (Prometheus and Argo CD `error`, Kubernetes,
 * Unleash, LaunchDarkly and PagerDuty `message`, Flagsmith `detail`, OpenAI and Anthropic `error.message`), of a web page its
 * title, of plain text its beginning.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 * @see https://docs.anthropic.com/en/api/errors and https://platform.openai.com/docs/guides/error-codes
 */
export function messageIn(body: string): string | null {
  if (/^\s*</.test(body)) {
    const title = /<title[^>]*>([^<]{1,1000})/i.exec(body)?.[1];
    return title === undefined ? null : peerMessage(title);
  }
  const json = parsed(body);
  return json === undefined ? peerMessage(body) : messageOf(json);
}

/** The same of what is parsed already. */
export function messageOf(value: unknown, depth = 0): string | null {
  if (typeof value === "string") return peerMessage(value);
  if (Array.isArray(value)) return value.length === 0 ? null : messageOf(value[0], depth);
  if (typeof value !== "object" || value === null || depth > 3) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const field of FIELDS) {
    const said = messageOf(fields.get(field), depth + 1);
    if (said !== null) return said;
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
