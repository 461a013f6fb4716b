import { Agent, request } from "node:http";

export interface FlagAccess {
  readonly url: string;
  /** A client token of the environment that this pod runs in. */
  readonly token: string;
}

export interface Flags {
  /** Whether the flag is on for one evaluation; an unknown flag, and all before the first answer, is off. */
  isEnabled(name: string): boolean;
}

const POLL_MS = 1000;

interface Feature {
  readonly name: string;
  readonly enabled: boolean;
  readonly strategies: readonly { readonly name: string; readonly parameters?: { readonly rollout?: string } }[];
}

/**
 * Reads the flags from an Unleash client API every second, as Unleash's own SDKs do (with `If-None-Match`), and
 * evaluates here. Knows the strategies `default` and `flexibleRollout` with random stickiness. While the endpoint is
 * away the last state holds.
 *
 * @see https://docs.getunleash.io/api/get-all-client-features
 */
export function followFlags(access: FlagAccess, appName: string): Flags {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let features = new Map<string, Feature>();
  let etag: string | undefined;

  function poll(): void {
    const headers = { authorization: access.token, "unleash-appname": appName, ...(etag && { "if-none-match": etag }) };
    const asked = request(new URL("/api/client/features", access.url), { agent, headers, timeout: 2000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => {
        if (answer.statusCode !== 200) return;
        etag = answer.headers.etag;
        features = new Map(parse(text).map((feature) => [feature.name, feature]));
      });
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => undefined);
    asked.end();
  }

  poll();
  setInterval(poll, POLL_MS).unref();
  return {
    isEnabled(name) {
      const feature = features.get(name);
      if (feature === undefined || !feature.enabled) return false;
      return feature.strategies.length === 0 || feature.strategies.some(applies);
    },
  };
}

function applies(strategy: Feature["strategies"][number]): boolean {
  if (strategy.name !== "flexibleRollout") return strategy.name === "default";
  return Math.random() * 100 < Number(strategy.parameters?.rollout ?? "0");
}

function parse(text: string): readonly Feature[] {
  const body: { readonly features: readonly Feature[] } = JSON.parse(text);
  return body.features;
}
