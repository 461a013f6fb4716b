import { spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { UnshipError } from "../../core/errors.ts";
import { tied } from "../tied.ts";

export interface PrometheusProcess extends AsyncDisposable {
  readonly url: string;
}

/** Starts Debian's Prometheus on loopback with this configuration. Throws "component.missing" where it is not installed. */
export async function startPrometheus(configPath: string, directory: string): Promise<PrometheusProcess> {
  if (spawnSync("prometheus", ["--version"]).error !== undefined) {
    throw new UnshipError("component.missing", {
      component: "prometheus",
      package: "Debian's prometheus (apt-get install prometheus)",
    });
  }
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const [command, args] = tied("prometheus", [
    `--config.file=${configPath}`,
    `--storage.tsdb.path=${directory}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const child = spawn(command, [...args], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.ok === true) break;
    if (child.exitCode !== null || tries > 100)
      throw new UnshipError("source.unavailable", { source: "prometheus", reason: "it did not start" });
    await wait(100);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
