import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** One counter: its labels, `__name__` among them, and by how much it grows a second. */
export interface Counter {
  readonly labels: Readonly<Record<string, string>>;
  readonly perSecond: number;
}

/**
 * The little of Prometheus' HTTP API that reading a call graph needs, over counters that grow as the test says: names of
 * the metrics that match, and `sum by (…) (rate(SELECTOR[…])) > 0`. Any other query is refused, as bad data is.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export async function fakePrometheus(counters: readonly Counter[]) {
  let held = counters;
  let refused: number | null = null;
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    requests.push(url.pathname);
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (refused !== null) return send(refused, { status: "error", errorType: "internal", error: "as the test says" });
    if (url.pathname === "/api/v1/label/__name__/values") {
      const matching = url.searchParams.getAll("match[]").flatMap((selector) => held.filter(matcherOf(selector)));
      const data = [...new Set(matching.map(({ labels }) => labels.__name__ ?? ""))].sort();
      return send(200, { status: "success", data });
    }
    if (url.pathname !== "/api/v1/query") return send(404, {});
    const form = new URLSearchParams(await text(request));
    const [, by = "", selector = ""] =
      /^sum by \(([^)]*)\) \(rate\((.*)\[\d+s\]\)\) > 0$/.exec(form.get("query") ?? "") ?? [];
    if (selector === "") return send(400, { status: "error", errorType: "bad_data", error: "unknown query" });
    const groups = Map.groupBy(held.filter(matcherOf(selector)), ({ labels }) =>
      JSON.stringify(by.split(", ").flatMap((label) => (labels[label] ? [[label, labels[label]]] : []))),
    );
    const result = [...groups].flatMap(([key, same]) => {
      const sum = same.reduce((all, { perSecond }) => all + perSecond, 0);
      const metric = Object.fromEntries(JSON.parse(key) as [string, string][]);
      return sum > 0 ? [{ metric, value: [Number(form.get("time")), String(sum)] }] : [];
    });
    return send(200, { status: "success", data: { resultType: "vector", result } });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    requests,
    hold(next: readonly Counter[]) {
      held = next;
    },
    /** From now on each request is refused with this status; null: none is. */
    refuse(status: number | null) {
      refused = status;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `name{a="b",c!="",d=~"x|y"}` as a test of a counter. Regular expressions are anchored, as Prometheus anchors them. */
function matcherOf(selector: string): (counter: Counter) => boolean {
  const [, name, list = ""] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(selector) ?? [];
  const matchers = [...list.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].map(([, label = "", operator, value = ""]) => {
    return ({ labels }: Counter): boolean => {
      const given = labels[label] ?? "";
      if (operator === "=~") return new RegExp(`^(?:${value})$`).test(given);
      return operator === "!=" ? given !== value : given === value;
    };
  });
  return (counter) => counter.labels.__name__ === name && matchers.every((fits) => fits(counter));
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
