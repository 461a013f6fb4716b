import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { compileCacheVariable } from "../../../evals/compile-cache.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openDesk, ROOT } from "./run-cli.ts";

/** Runs `unship watch` until it has printed so many lines, then ends it as a terminal would. */
async function watchFor(lines: number, words: readonly string[], config: string, cwd: string) {
  const child = spawn(process.execPath, [join(ROOT, "agent/main.ts"), "watch", "-c", config, ...words], {
    cwd,
    env: { PATH: process.env.PATH, ...compileCacheVariable(), LD_API_KEY: "k" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const out: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    out.push(line);
    if (out.length === lines) child.kill("SIGINT");
  }
  const [code] = await ended;
  return { out, code };
}

function deskOf() {
  const desk = openDesk({ more: "watch: { step: 1s }" });
  const text = readFileSync(desk.config, "utf8")
    .replace("https://prometheus.internal:9090", "http://127.0.0.1:9")
    .replace("https://argocd.internal", "http://127.0.0.1:9");
  writeFileSync(desk.config, text);
  return desk;
}

describe("unship watch", () => {
  it("says what it watches by and in which mode, then a line an event, and ends with exit code 0 when interrupted", async () => {
    using desk = deskOf();
    const { out, code } = await watchFor(4, [], desk.config, desk.folder);
    expect(out[0]).toMatch(/^unship \d+\.\d+\.\d+ watches, by .*unship\.yaml\. Ctrl-C ends it\.$/);
    expect(out[1]).toMatch(/observe/);
    expect(out[2]).toMatch(/^\d\d:\d\d:\d\dZ watch\.started {6}mode observe; no incident is open$/);
    expect(out[3]).toMatch(/^\d\d:\d\d:\d\dZ source\.down .*(prometheus|argocd|launchdarkly)/);
    expect(code).toBe(0);
  });

  it("--json: each line of standard output is one JSON event", async () => {
    using desk = deskOf();
    const { out, code } = await watchFor(2, ["--json"], desk.config, desk.folder);
    expect(out.slice(0, 2).map((line) => JSON.parse(line))).toMatchObject([
      { event: "watch.started", incident: null },
      { event: "source.down", text: expect.stringMatching(/prometheus|argocd|launchdarkly/) },
    ]);
    for (const line of out) expect(() => JSON.parse(line)).not.toThrow();
    expect(code).toBe(0);
  });
});

describe("unship watch with server.listen", () => {
  it("answers approvers beside the watch, says where, and is gone with it", async () => {
    using desk = openDesk({ more: 'watch: { step: 1s }\nserver: { listen: ":0" }' });
    const text = readFileSync(desk.config, "utf8")
      .replace("https://prometheus.internal:9090", "http://127.0.0.1:9")
      .replace("https://argocd.internal", "http://127.0.0.1:9");
    writeFileSync(desk.config, text);
    const child = spawn(process.execPath, [join(ROOT, "agent/main.ts"), "watch", "-c", desk.config], {
      cwd: desk.folder,
      env: { PATH: process.env.PATH, ...compileCacheVariable(), LD_API_KEY: "k" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit");
    let url = "";
    for await (const line of createInterface({ input: child.stderr })) {
      url = /^Approvals at (\S+), for approvers/.exec(line)?.[1] ?? "";
      if (url !== "") break;
    }
    const answer = await fetch(url, { headers: { authorization: `Bearer ${ALICE_TOKEN}` } });
    expect({ status: answer.status, body: await answer.json() }).toEqual({ status: 200, body: { plans: [] } });
    expect((await fetch(url)).status).toBe(401);
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });
});
