import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createHttp, type Http } from "../../mcp-tools/connectors/http.ts";

export interface RealPrometheus extends AsyncDisposable {
  readonly base: URL;
  readonly http: Http;
}

/**
 * Debian's Prometheus on loopback, with a folder of its own. `scrape`: addresses to scrape each second. `openMetrics`:
 * samples with timestamps (in seconds) that it holds from the start, which must be older than three hours.
 */
export async function startPrometheus(given: {
  readonly scrape?: readonly string[];
  readonly openMetrics?: string;
  /** A configuration of somebody else's, instead of `scrape`. */
  readonly configFile?: string;
}): Promise<RealPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), "unship-prometheus-"));
  const data = join(folder, "data");
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "test", static_configs: [{ targets: given.scrape ?? [] }] }],
  };
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  await mkdir(data);
  if (given.openMetrics !== undefined) {
    await writeFile(join(folder, "samples.om"), given.openMetrics);
    await promisify(execFile)("promtool", [
      "tsdb",
      "create-blocks-from",
      "openmetrics",
      join(folder, "samples.om"),
      data,
    ]);
  }
  const child = spawn(
    "prometheus",
    [
      `--config.file=${given.configFile ?? join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${data}`,
      "--storage.tsdb.retention.time=10y",
      "--web.listen-address=127.0.0.1:0",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  const port = await portOf(child).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const base = new URL(`http://127.0.0.1:${port}`);
  const http = createHttp({ source: "prometheus", base });
  return {
    base,
    http,
    async [Symbol.asyncDispose]() {
      await http.close();
      await stop();
    },
  };
}

/** Waits until it says that it serves, and on which port it listens. */
async function portOf(child: ChildProcess): Promise<number> {
  let log = "";
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`prometheus ended with ${code}: ${log.slice(-2000)}`)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      const port = /msg="Listening on" address=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
      if (port !== undefined && log.includes("Server is ready to receive web requests")) resolve(Number(port));
    });
  });
}
