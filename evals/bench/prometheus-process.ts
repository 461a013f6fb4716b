import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { answerBytes } from "./prometheus-answers.ts";

/** What a process that stands in for Prometheus is told at its start, as its only argument, in JSON. */
export interface StandIn {
  readonly services: number;
  readonly seed: number;
  /** From when on one service in a hundred is worse; Unix ms. */
  readonly worseAt: number;
}

/** Longer spans than this, in seconds, have been loaded before: they are answered with nothing. */
const LOADED_SECONDS = 1800;
const NOTHING = '{"status":"success","data":{"resultType":"matrix","result":[]}}';

/** Answers range queries over HTTP on loopback until its parent goes, to which it tells its port. */
async function serve({ services, seed, worseAt }: StandIn): Promise<void> {
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const span = Number(form.get("end")) - Number(form.get("start"));
    response.setHeader("content-type", "application/json");
    response.end(span > LOADED_SECONDS ? NOTHING : answerBytes(form, services, seed, worseAt));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  server.keepAliveTimeout = 0; // the first tick takes longer than any
  process.send?.({ port: (server.address() as AddressInfo).port });
  process.once("disconnect", () => process.exit());
}

await serve(JSON.parse(process.argv[2] ?? "{}") as StandIn);
