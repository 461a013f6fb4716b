import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireReal } from "../real-component.ts";
import { CHECKOUT, packInto } from "./packed.ts";
import { type Desk, sitDown } from "./person.ts";
import { clock, commandsOf, machine, type Step, withWalk } from "./walk-page.ts";

const LONG_MS = 10 * 60_000;
/** Far beyond what any step takes on a busy machine. */
const PATIENCE_MS = 150_000;
/** "Half a minute of samples". */
const SAMPLES_MS = 30_000;
/** "Give it a minute". */
const BASELINE_MS = 60_000;
const MOST_COMMANDS = 12;

const FILE = join(CHECKOUT, "docs/first-rollback.md");
const PAGE = readFileSync(FILE, "utf8");
const COMMANDS = commandsOf(PAGE);

/** What does not end by itself, and what it shows once it is ready. */
const STAYS: readonly (readonly [of: RegExp, ready: RegExp])[] = [
  [/unship sandbox/, /Press Enter to break it/],
  [/^prometheus /, /Server is ready to receive web requests/],
  [/unship watch/, /watch\.started .*mode approve/],
];

/** An incident whose plan waits, as `status` shows it. */
const WAITS = /(inc-[\w-]+)(?:(?!inc-)[\s\S])*?NEEDS APPROVAL(?:(?!inc-)[\s\S])*?unship approve (plan-[\w-]+)/;

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
if (!hasKubectl) console.warn("kubectl is not installed: the cluster's API is asked over HTTP, as kubectl would");

const isThere = requireReal("prometheus", "prometheus") && requireReal("script", "bsdutils");

describe("the first rollback", () => {
  it(`takes at most ${MOST_COMMANDS} commands, from npm pack's tarball on`, () => {
    expect(COMMANDS.length).toBeLessThanOrEqual(MOST_COMMANDS);
    expect(COMMANDS[0]).toMatch(/^npm install \.\/unship-[\d.]+\.tgz$/);
    expect(COMMANDS.filter((one) => STAYS.some(([of]) => of.test(one)))).toHaveLength(STAYS.length);
  });

  it.skipIf(!isThere)("goes as the page says, to a rollback that a person approved", { timeout: LONG_MS }, async () => {
    const place = mkdtempSync(join(tmpdir(), "unship-walk-"));
    onTestFinished(() => rmSync(place, { recursive: true, force: true, maxRetries: 3 }));
    const folder = join(place, "walk");
    mkdirSync(folder);
    const [, tarball = ""] = /\.\/(\S+)$/.exec(COMMANDS[0] ?? "") ?? [];
    copyFileSync(join(place, packInto(place)), join(folder, tarball));

    const env = { ...process.env, PROMETHEUS_PORT: String(await freePort()), NO_COLOR: "1", TERM: "dumb" };
    const steps: Step[] = [];
    const started = Date.now();
    /** What the page's words in capitals stand for, once it was printed. */
    const words = new Map<string, string>();
    const open = new Map<string, Desk>();
    onTestFinished(async () => {
      for (const desk of [...open.values()].reverse()) await desk.leave();
    });
    const filled = (text: string) => [...words].reduce((rest, [word, is]) => rest.replaceAll(word, () => is), text);
    const scrubbed = (text: string) =>
      text.replaceAll(words.get("TOKEN") ?? "\0", "[64 hexadecimal digits]").replaceAll(folder, "~/walk");

    /** Types one command of the page; returns what it showed, once it has ended or is ready. */
    async function type(command: string): Promise<string> {
      const at = Date.now() - started;
      const answers = [[/Your personal token: $/, `${words.get("TOKEN")}\r`] as const, [/\]: $/, "\r"] as const];
      const desk = sitDown(filled(command), { cwd: folder, env, answers });
      const [of, ready] = STAYS.find(([one]) => one.test(command)) ?? [];
      open.set(of?.source ?? command, desk);
      if (ready === undefined) expect(await desk.ended, `${command}\n${desk.shown()}`).toBe(0);
      else await desk.until(ready, PATIENCE_MS);
      steps.push({ at, command: filled(command), shown: desk.shown() });
      return desk.shown();
    }
    const happens = (shown: string) => steps.push({ at: Date.now() - started, command: null, shown });
    const staying = (of: RegExp): Desk => {
      const desk = [...open].find(([source]) => source === of.source)?.[1];
      if (desk === undefined) throw new Error(`nothing stays that is like ${of}`);
      return desk;
    };
    const whatRuns = (command: string) => (hasKubectl ? type(command) : changeCauseOverHttp(folder));

    const said: string[] = [];
    for (const command of COMMANDS) {
      if (/unship init/.test(command)) await wait(SAMPLES_MS);
      if (/unship status/.test(command)) {
        await wait(BASELINE_MS);
        happens("[Enter in the second terminal]");
        staying(/unship sandbox/).type("\r");
        await staying(/unship watch/).until(/incident\.held/, PATIENCE_MS);
        happens("[the watch] incident.held");
      }
      const shown = command.startsWith("kubectl ") ? await whatRuns(command) : await type(command);
      said.push(shown);
      if (/unship sandbox/.test(command)) words.set("ZIPKIN", /spans \(Zipkin v2\)\s+(\S+)/.exec(shown)?.[1] ?? "");
      if (/^openssl/.test(command)) words.set("TOKEN", shown.trim());
      if (/unship status/.test(command)) {
        const [, incident = "", plan = ""] = WAITS.exec(shown) ?? [];
        words.set("INCIDENT", incident).set("PLAN", plan);
      }
      if (/unship approve/.test(command)) {
        const watch = staying(/unship watch/);
        await watch.until(/plan\.executed/, PATIENCE_MS);
        happens("[the watch] plan.executed");
        const closed = await watch.until(/incident\.closed .*\brecovered\b.*/, PATIENCE_MS);
        happens(`[the watch] ${closed[0].replaceAll(/\s+/g, " ")}`);
      }
    }
    const tookMs = Date.now() - started;
    const saidBy = (of: RegExp) => said.filter((_, index) => of.test(COMMANDS[index] ?? ""));

    expect(saidBy(/unship init/)[0]).toContain("Requests: http_requests_total");
    expect(saidBy(/unship init/)[0]).toContain("mode approve: nothing is executed without a person's approval");
    expect(saidBy(/unship check/)[0]).toContain("Verdict: ready for mode approve: every source answered.");
    expect(readFileSync(join(folder, "unship.yaml"), "utf8")).not.toContain(words.get("TOKEN"));
    const [before = "", after = ""] = saidBy(/^kubectl/);
    expect(before).toContain("release train deployed payments 1.1.0");
    expect(before).not.toMatch(/1\.2\.0/);
    const [status = ""] = saidBy(/unship status/);
    expect(status).toContain("NEEDS APPROVAL");
    expect(status).toContain(`plan ${words.get("PLAN")}: roll back Deployment production/payments to 1.1.0`);
    expect(saidBy(/unship approve/)[0]).toContain("Approved by ada");
    expect(after).toMatch(/unship rolled back 1\.2\.0 to revision 2 \(1\.1\.0\), plan/);
    expect(after).toContain(words.get("PLAN"));
    const [postmortem = ""] = saidBy(/unship postmortem/);
    expect(postmortem.replaceAll("`", "")).toContain("payments 1.1.0 → 1.2.0");
    expect(postmortem).toMatch(/\bada\b/);
    expect(postmortem).toMatch(/recovered/i);

    if (process.env.UNSHIP_WRITE_WALK === "1")
      writeFileSync(
        FILE,
        withWalk(
          PAGE,
          steps.map((step) => ({ ...step, shown: scrubbed(step.shown) })),
          facts(tookMs),
        ),
      );
  });
});

function facts(tookMs: number): readonly string[] {
  const version = (program: string, ...given: readonly string[]) =>
    /\d+\.\d+\.\d+/.exec(spawnSync(program, given, { encoding: "utf8" }).stdout)?.[0] ?? "none";
  const kubectl = hasKubectl ? `kubectl ${version("kubectl", "version", "--client")}` : "no kubectl";
  return [
    `${COMMANDS.length} commands in ${clock(tookMs)} (minutes:seconds), by the test, which waits where the page says so, else types at once, and reads nothing.`,
    `${new Date().toISOString().slice(0, 10)}, ${machine()}, load average ${loadavg()[0]?.toFixed(1)} at the end; Node ${process.versions.node},`,
    `Prometheus ${version("prometheus", "--version")}, ${kubectl}. Times are when a command was typed. Each shows 16 lines at most.`,
  ];
}

/** What kubectl would tell of the newest rollout, read from the API itself. */
async function changeCauseOverHttp(folder: string): Promise<string> {
  const [, server = ""] = /server: "?(http[^\s"]+)/.exec(readFileSync(join(folder, "shop/kubeconfig"), "utf8")) ?? [];
  const answer = await fetch(new URL("/apis/apps/v1/namespaces/production/deployments/payments", server));
  const { metadata } = (await answer.json()) as { metadata: { annotations: Record<string, string> } };
  return metadata.annotations["kubernetes.io/change-cause"] ?? "";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
