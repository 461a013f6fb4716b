import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireReal } from "../../real-component.ts";
import { httpProcess, openWorld } from "./live-world.ts";
import { ROOT } from "./run-cli.ts";

const PAGE = readFileSync(join(ROOT, "docs/first-fifteen-minutes.md"), "utf8");

/** The page's blocks in its order: commands, and what they are said to print. */
const BLOCKS = [...PAGE.matchAll(/^```(sh|text)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({ kind, text }));

/** What the reader changes: where their own servers are. */
const isPlaces = (text: string): boolean => text.startsWith("export ");
const runsOn = (text: string): boolean => text.startsWith("unship watch");

/** How many problems a command of the page is meant to have, by its exit code. */
const wantedCode = (text: string): number => (text.includes("wrong.yaml") ? 1 : 0);

describe.skipIf(!requireReal("prometheus", "prometheus"))("the first fifteen minutes", () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  let bin: string;
  beforeAll(async () => {
    world = await openWorld({
      processes: [
        httpProcess({ service: "cart", version: "1.0.0" }),
        httpProcess({ service: "payments", version: "1.0.0" }, { failing: true }),
      ],
      workloads: [{ name: "cart" }, { name: "payments" }, { name: "worker" }],
    });
    bin = join(world.folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "unship"), `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "agent/main.ts")}" "$@"\n`);
    chmodSync(join(bin, "unship"), 0o755);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Runs one block as a reader's shell would; what does not end by itself is interrupted once it says that it watches. */
  async function run(text: string) {
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      HOME: world.folder,
      PROMETHEUS_URL: world.prometheus,
      KUBECONFIG: world.kubeconfig,
    };
    const child = spawn("sh", ["-c", runsOn(text) ? `exec ${text}` : text], {
      cwd: world.folder,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (more: string) => {
        said += more;
        if (runsOn(text) && /watch/i.test(said)) child.kill("SIGINT");
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, said };
  }

  it("names its commands, and shows what they print", () => {
    const commands = BLOCKS.filter(({ kind }) => kind === "sh").map(({ text }) =>
      text
        .split(/[\s"]+/)
        .slice(0, 2)
        .join(" "),
    );
    expect(commands).toEqual([
      "export PROMETHEUS_URL=http://localhost:9090",
      "unship init",
      "cat unship.yaml",
      "unship check",
      "sed 's/^service_label:",
      "unship watch",
      "unship status",
      "unship investigate",
    ]);
  });

  it("go as the page says, command by command", async () => {
    let last = "";
    for (const { kind, text } of BLOCKS) {
      if (kind === "text") {
        for (const line of text.trimEnd().split("\n")) expect(last).toContain(line);
        continue;
      }
      if (isPlaces(text)) continue;
      const { code, said } = await run(text);
      expect(code, `${text}\n${said}`).toBe(wantedCode(text));
      last = said;
    }
    expect(readFileSync(join(world.folder, "unship.yaml"), "utf8").split("\n").length).toBeLessThan(35);
    expect(world.cluster.writes).toEqual([]);
  });
});
