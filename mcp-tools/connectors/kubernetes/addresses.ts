/** An address that a piece of configuration holds: a host, and its port where one is written. */
export interface Address {
  readonly host: string;
  readonly port: number | null;
  /** Written with a scheme: `http://`, `postgres://`. */
  readonly hasScheme: boolean;
}

/** One named value of a container: a variable, or an argument `--name=value`; name "" for a bare argument. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** Names under which people put a host alone, without scheme or port: CATALOG_HOST, CART_ADDR, db.url. */
const ADDRESS_NAME = /(^|[_.-])(hosts?|addr|address|url|uri|endpoint|servers?|brokers?|upstream)$/i;

/**
 * Where telemetry goes: sent aside, no request waits for it, so that its receiver is nobody's callee.
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
const TELEMETRY_NAME =
  /^(OTEL|JAEGER|ZIPKIN|DD|STATSD|SENTRY|PYROSCOPE|NEW_RELIC)_|(^|_)(OTEL|JAEGER|ZIPKIN|STATSD)(_|$)/i;

/** A service's own address as others see it, and addresses that it hands to browsers: it does not call them. */
const OWN_NAME =
  /(^|[_.-])(public|external|origins?|cors|allowed|callback|redirect|docs?|help|support|listen|bind|advertised?)([_.-]|$)/i;

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
/** One label or several, as DNS has them (RFC 1123 §2.1). */
const HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * The addresses in a value, as far as its form or its name says that it holds any: a URL, `host:port`, a connection
 * string, or a host alone under a name for addresses. Credentials in it are passed over and kept nowhere.
 */
export function addressesIn({ name, value }: NamedValue): readonly Address[] {
  if (TELEMETRY_NAME.test(name) || OWN_NAME.test(name)) return [];
  const words = value.split(/[\s,;"'()[\]{}|]+/).filter((word) => word !== "");
  return words.flatMap((word) => {
    const [, key, given] = /^-{0,2}([\w.-]+)=(.*)$/.exec(word) ?? [];
    if (key !== undefined && given !== undefined && !SCHEME.test(word))
      return TELEMETRY_NAME.test(key) || OWN_NAME.test(key) ? [] : addressOf(given, key);
    return addressOf(word, words.length === 1 ? name : "");
  });
}

function addressOf(word: string, name: string): readonly Address[] {
  const hasScheme = SCHEME.test(word);
  const authority = word
    .replace(SCHEME, "")
    .replace(/[/?#].*$/s, "")
    .replace(/^.*@/s, "");
  const [, host = "", port] = /^([^:]*)(?::(\d{1,5}))?$/.exec(authority.toLowerCase()) ?? [];
  if (!HOST.test(host) || /^[\d.]+$/.test(host)) return [];
  const isWhole = word.length === host.length;
  if (!hasScheme && port === undefined && !(isWhole && ADDRESS_NAME.test(name)) && !host.includes(".svc")) return [];
  return [{ host, port: port === undefined ? null : Number(port), hasScheme }];
}

/**
 * Replaces `$(NAME)` as Kubernetes does: by a variable written before it; what is not known stays as it is. `$$(NAME)`
 * is no reference.
 *
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expanded(value: string, known: (name: string) => string | undefined): string {
  return value.replaceAll(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (whole, name?: string) =>
    name === undefined ? "$" : (known(name) ?? whole),
  );
}
