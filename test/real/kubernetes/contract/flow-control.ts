import { Agent, request } from "undici";
import { describe, expect, it } from "vitest";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { ConfigMapMeta } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { CORE, eventually, type Setting } from "./setting.ts";

/** So many at once that a server without a seat for them turns most away. */
const MANY = 30;
const HEAD_START_MS = 500;

/** What a server does that has no seat for a request, and what our client makes of it. */
export function flowControl({ server, must, next }: Setting): void {
  describe("flow control", () => {
    /** The same request many times at once, as the account that is turned away. */
    const crowd = async (method: "GET" | "POST", path: string, body?: (index: number) => object) => {
      const { headers = {}, ca } = server().access.http;
      await using dispatcher = closing(new Agent(ca === undefined ? {} : { connect: { ca } }));
      const fixed = typeof headers === "function" ? await headers() : headers;
      return Promise.all(
        Array.from({ length: MANY }, async (_, index) => {
          const answer = await request(new URL(path, server().access.server), {
            method,
            dispatcher: dispatcher.agent,
            headers: { ...fixed, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body(index)) }),
          });
          return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
        }),
      );
    };
    const refusedReads = async () => (await crowd("GET", `${CORE}/configmaps`)).filter(({ status }) => status === 429);

    it("turns reads away with 429 and the seconds to wait, in plain text, and lets them in again", async () => {
      await server().turnAway(true);
      await eventually(async () => (await refusedReads()).length > 0);
      const [one] = await refusedReads();
      await server().turnAway(false);
      expect(one?.headers).toMatchObject({ "retry-after": "1", "content-type": "text/plain; charset=utf-8" });
      expect(one?.text).toBe("Too many requests, please try again later.\n");
      await eventually(async () => (await refusedReads()).length === 0);
    });

    it("does nothing of a write that it turns away", async () => {
      const round = next();
      const nameOf = (index: number) => `turned-${round}-${index}`;
      await server().turnAway(true);
      await eventually(async () => (await refusedReads()).length > 0);
      const answers = await crowd("POST", `${CORE}/configmaps`, (index) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: nameOf(index), labels: { turned: String(round) } },
      }));
      await server().turnAway(false);
      const made = answers.flatMap(({ status }, index) => (status === 201 ? [nameOf(index)] : []));
      expect(answers.filter(({ status }) => ![201, 429].includes(status))).toEqual([]);
      expect(made.length).toBeLessThan(MANY);
      const { items } = await must("GET", `${CORE}/configmaps?labelSelector=turned%3D${round}`);
      expect(items.map(({ metadata }: { metadata: { name: string } }) => metadata.name).sort()).toEqual(made.sort());
    });

    it("is waited for by our client, which reads what it was turned away from once it is let in", async () => {
      const client = kubeClient(server().access);
      await server().turnAway(true);
      await eventually(async () => (await refusedReads()).length > 0);
      let goesOn = true;
      const others = (async () => {
        while (goesOn) await refusedReads();
      })();
      const reading = client.list("ConfigMap", "default", ConfigMapMeta, new AbortController().signal);
      reading.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
      goesOn = false;
      await others;
      await server().turnAway(false);
      expect((await reading).length).toBeGreaterThan(0);
      await client.close();
    });
  });
}

const closing = (agent: Agent) => ({ agent, [Symbol.asyncDispose]: () => agent.close() });
