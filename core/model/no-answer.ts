/** Where a remote is, for people: "prometheus:9090". */
type Place = Pick<URL, "hostname" | "host" | "protocol">;

/** Errors from before a connection stood: the request cannot have reached the remote. */
export const NOT_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** Whether Node refused the certificate or the handshake. @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
export const isTlsRefusal = (code: string): boolean =>
  /^(ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_SSL)/.test(code);

/** The code that Node or undici gives an error; empty where it has none. */
export const codeOfError = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";

/**
 * Why there was no answer, in our own words and those of the configuration alone: what the network, the name service or the
 * certificate says, and at which address. What a remote wrote is not in it (S10, S11).
 * @see https://nodejs.org/api/errors.html#common-system-errors
 */
export function reasonOf(cause: unknown, place: Place, timeoutMs: number): string {
  const { hostname, host } = place;
  const code = codeOfError(cause);
  if (cause instanceof Error && cause.name === "TimeoutError") return `no whole answer within ${timeoutMs / 1000} s`;
  if (!(cause instanceof Error) || cause.name === "AbortError") return "the question was given up";
  if (isTlsRefusal(code)) return tlsReason(code, host);
  if (cause.name === "HTTPParserError")
    return `what answers at ${host} does not speak HTTP${secure(place, " there (is it https?)")}`;
  return REASONS[code]?.(host, hostname) ?? `the connection to ${host} failed${code === "" ? "" : ` (${code})`}`;
}

const secure = ({ protocol }: Place, hint: string): string => (protocol === "http:" ? hint : "");

const CLOSED = (host: string) => `${host} closed the connection before its answer was whole`;
const NO_WAY = (host: string) => `there is no way to ${host} from here`;
const SILENT = (host: string) => `${host} takes no connection`;
const REASONS: Readonly<Record<string, (host: string, hostname: string) => string>> = {
  ECONNREFUSED: (host) => `nothing listens at ${host}`,
  ENOTFOUND: (_, hostname) => `no host is called ${hostname}`,
  EAI_AGAIN: (_, hostname) => `the name service did not say where ${hostname} is`,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  ETIMEDOUT: SILENT,
  UND_ERR_CONNECT_TIMEOUT: SILENT,
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
};

function tlsReason(code: string, host: string): string {
  if (code === "CERT_HAS_EXPIRED") return `the certificate of ${host} has expired`;
  if (code === "CERT_NOT_YET_VALID") return `the certificate of ${host} is not valid yet (or the clock here is wrong)`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `the certificate of ${host} is for another name`;
  if (/^(DEPTH_ZERO_)?SELF_SIGNED|^UNABLE_TO/.test(code))
    return `no authority that is trusted here signed the certificate of ${host}`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return `what answers at ${host} does not speak TLS (is it http?)`;
  return `no TLS connection with ${host} came about (${code})`;
}
