import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const SUITE = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);
const NOT_APPLICABLE = join(import.meta.dirname, "conformance-not-applicable.yml");
/** What must have run and passed, so that a suite that runs nothing does not pass. */
const APPLY = [
  "server-initialize",
  "ping",
  "completion-complete",
  "tools-list",
  "server-sse-multiple-streams",
  "resources-list",
  "prompts-list",
  "dns-rebinding-protection",
];

it("passes every scenario of the protocol's conformance suite that applies, over HTTP", async () => {
  const server = spawn(process.execPath, [join(import.meta.dirname, "http-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [url] = await once(createInterface({ input: server.stdout }), "line");
    const args = [SUITE, "server", "--url", String(url), "--suite", "all", "--expected-failures", NOT_APPLICABLE];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 }).catch(
      (error: { stdout?: string }) => expect.fail(String(error.stdout).slice(-4_000)),
    );
    for (const scenario of APPLY) expect(stdout).toMatch(new RegExp(`✓ ${scenario}: [1-9]\\d* passed, 0 failed`));
  } finally {
    server.kill("SIGTERM");
    await once(server, "exit");
  }
}, 180_000);
