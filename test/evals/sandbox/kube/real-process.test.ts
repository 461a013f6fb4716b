import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import type { PodRuntime, RunningPod } from "../../../../evals/sandbox/pod-runtime.ts";
import { call } from "./api/client.ts";
import { deployment } from "./manifests.ts";
import { eventually } from "./setting.ts";

/** A pod's process: says its image to whoever asks, and is ready unless it is of a bad image. */
const SERVER = `
  const server = require("node:http").createServer((request, response) => {
    const bad = process.env.IMAGE.includes("bad") && request.url === "/ready";
    response.writeHead(bad ? 503 : 200).end(process.env.IMAGE + " " + process.env.MODE);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.on("SIGTERM", () => process.exit(0));
`;

function processRuntime(alive: Set<ChildProcess>): PodRuntime {
  return {
    async start({ image, env }): Promise<RunningPod> {
      const child = spawn(process.execPath, ["-e", SERVER], {
        env: { ...env, IMAGE: image },
        stdio: ["ignore", "pipe", "inherit"],
      });
      alive.add(child);
      child.once("exit", () => alive.delete(child));
      const [port] = (await once(child.stdout, "data")) as [Buffer];
      const ended = once(child, "exit");
      return {
        pid: child.pid ?? 0,
        port: Number(port.toString()),
        ready: async () => (await fetch(`http://127.0.0.1:${Number(port.toString())}/ready`)).ok,
        async stop(graceMs) {
          child.kill("SIGTERM");
          const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
          if (child.exitCode === null && child.signalCode === null) await ended;
          clearTimeout(kill);
        },
        onExit: (listener) => void child.once("exit", (code) => listener(code)),
      };
    },
  };
}

const said = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();

describe("with real processes", () => {
  it("a rollout replaces them one by one, a bad one serves nothing, and a killed one comes back", async () => {
    const alive = new Set<ChildProcess>();
    {
      await using cluster = await startCluster({
        runtime: processRuntime(alive),
        timings: { probePeriodMs: 50, backOffMs: 100 },
      });
      const endpoints = () => cluster.readyEndpoints("default", { app: "web" });
      const answers = async () => new Set(await Promise.all(endpoints().map(({ port }) => said(port))));
      const setImage = (image: string) =>
        call(cluster, "PATCH", "/apis/apps/v1/namespaces/default/deployments/web", {
          type: "application/strategic-merge-patch+json",
          body: { spec: { template: { spec: { containers: [{ name: "web", image }] } } } },
        });

      await cluster.apply(deployment("shop/web:1", { replicas: 2 }));
      await eventually(() => expect(endpoints()).toHaveLength(2));
      expect(await answers()).toEqual(new Set(["shop/web:1 a"]));

      await setImage("shop/web:2");
      await eventually(async () => expect(await answers()).toEqual(new Set(["shop/web:2 a"])));
      await eventually(() => expect(alive.size).toBe(2));

      await setImage("shop/web:bad");
      await eventually(() => expect(alive.size).toBe(3));
      expect(await answers()).toEqual(new Set(["shop/web:2 a"]));

      const [victim] = alive;
      victim?.kill("SIGKILL");
      await eventually(async () => {
        const { body } = await call(cluster, "GET", "/api/v1/namespaces/default/pods");
        const counts = body.items.map(
          (pod: { status: { containerStatuses: { restartCount: number }[] } }) =>
            pod.status.containerStatuses[0]?.restartCount,
        );
        expect(counts.sort()).toEqual([0, 0, 1]);
        expect(alive.size).toBe(3);
      });
    }
    expect(alive.size).toBe(0);
  });
});
