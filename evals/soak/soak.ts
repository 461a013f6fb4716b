import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseDocument } from "yaml";
import { UnshipError } from "../../core/errors.ts";
import type { Incident } from "../../core/model/incident.ts";
import { demoConfiguration, FLAG_TOKEN_VARIABLE } from "../demo/configuration.ts";
import { DEMO_DURATIONS } from "../demo/durations.ts";
import { failsMore, isSlower, serviceIn, serviceText } from "../demo/harm.ts";
import { startWatch, type WatchProcess } from "../demo/watch-process.ts";
import { blindness } from "../demo/watch-sight.ts";
import { imageReference } from "../sandbox/images.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { build, CURRENT_VERSION } from "../sandbox/shop.ts";
import type { WorldName } from "../sandbox/worlds.ts";
import { type Deployed, judgeSoak, type SoakJudged } from "./judge-soak.ts";
import { drawSchedule, type Planned, quirksOf } from "./schedule.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly directory: string;
}

const SOAKED: readonly WorldName[] = ["shop", "reports"];
const WARM_UP_STEPS = 20;
/** After everything is well an incident has so many evaluations to end. */
const EVALUATIONS_TO_END = 20;
/** Seconds of visitors that stand for "before" and "after". */
const SPAN_MS = 10_000;

/**
 * Several systems that nothing joins live on, deployed and broken by a seeded schedule, while one watch, never restarted, looks
 * after them; what is still bad at the end is put back, and then nothing may be open. Limits are set not to bind. `print` gets
 * whole lines.
 */
export async function soak(
  { seed, minutes, directory }: SoakOptions,
  print: (line: string) => void,
  abort: AbortSignal,
): Promise<SoakJudged> {
  mkdirSync(directory, { recursive: true });
  const durations = DEMO_DURATIONS;
  await using sandbox = await startSandbox({ directory: join(directory, "sandbox"), worlds: SOAKED });
  const config = join(directory, "unship.yaml");
  const { endpoints } = sandbox;
  writeFileSync(
    config,
    unlimited(demoConfiguration({ endpoints, durations, directory, prometheus: null, worlds: SOAKED })),
  );
  const variables = { [FLAG_TOKEN_VARIABLE]: endpoints.flagToken };
  await using watch = startWatch({ directory, config, variables });
  if ((await watch.until(({ event }) => event === "watch.started", 120_000)) === null) {
    const reason = `it did not start; see ${join(directory, "watch.stderr.log")}`;
    throw new UnshipError("input.invalid", { what: "the watch", reason });
  }
  watch.onLine(({ at, event, text, incident }) => {
    if (incident !== null || event === "tick.failed") print(`${at} ${event} [${incident?.id ?? "–"}] ${text}`);
  });
  await wait(WARM_UP_STEPS * durations.stepMs, undefined, { signal: abort });

  const started = Date.now();
  const before = SOAKED.map((world) => serviceIn(sandbox.traffic(world), started - SPAN_MS, started));
  const schedule = drawSchedule(seed, { forMs: minutes * 60_000, worlds: SOAKED, durations });
  const deployed = await play(schedule, sandbox, print, abort);
  await wait(Math.max(0, started + minutes * 60_000 - Date.now()), undefined, { signal: abort });

  const mendedAt = Date.now();
  await mend(deployed, sandbox, print);
  await sandbox.steady();
  await untilClosed(watch, durations.verifyTimeoutMs + EVALUATIONS_TO_END * durations.stepMs, abort);
  const end = Date.now();
  const served = SOAKED.flatMap((world, index) => {
    const [now, usual] = [serviceIn(sandbox.traffic(world), end - SPAN_MS, end), before[index] ?? null];
    if (now === null || usual === null) return [`the record of the visitors of ${world} is too short to tell`];
    return failsMore(now, usual) || isSlower(now, usual)
      ? [
          `at the end the visitors of ${world} are not served as before: ${serviceText(now)}, before ${serviceText(usual)}`,
        ]
      : [];
  });
  return judgeSoak({
    deployed,
    writes: sandbox.writes().filter(({ own }) => !own),
    incidents: lastOf(watch),
    mendedAt,
    blind: [...blindness(watch, started), ...served],
  });
}

/** The demo's file with limits that do not bind: what is measured is judgement, not how much may be done. */
function unlimited(text: string): string {
  const document = parseDocument(text);
  document.setIn(["execution", "allowed_actions", 0, "max_rollbacks_per_hour"], 1000);
  document.setIn(["execution", "guardrails", "max_auto_rollbacks_per_day"], 1000);
  document.setIn(["execution", "guardrails", "cooldown_between_rollbacks"], "1s");
  document.setIn(["execution", "guardrails", "escalate_to_human_after"], 1000);
  document.setIn(["execution", "guardrails", "blast_radius"], { services: 100 });
  document.deleteIn(["reasoning_chain", "on_anomaly_detected", 5, "require_human_approval_if"]);
  return document.toString();
}

/** Deploys as planned; each version is a new one, and a bad one stands on what served well before it. */
async function play(
  schedule: readonly Planned[],
  sandbox: Sandbox,
  print: (line: string) => void,
  abort: AbortSignal,
): Promise<readonly Deployed[]> {
  const started = Date.now();
  const good = new Map<string, string>();
  const deployed: Deployed[] = [];
  for (const [index, planned] of schedule.entries()) {
    const { atMs, service, kind } = planned;
    await wait(Math.max(0, started + atMs - Date.now()), undefined, { signal: abort });
    const version = `1.${index + 2}.0`;
    const image = sandbox.push(build(service, version, quirksOf(kind)));
    const before = good.get(service) ?? imageReference(service, CURRENT_VERSION);
    const at = await sandbox.deploy(service, version, kind === "innocent" ? "ana" : "ben");
    if (kind === "innocent") good.set(service, image);
    deployed.push({ ...planned, at, image, before });
    print(`${new Date(at).toISOString()} deployed ${service} ${version} (${kind})`);
  }
  return deployed;
}

/** Puts back what a bad deploy left, as people would. What was undone already is left alone. */
async function mend(deployed: readonly Deployed[], sandbox: Sandbox, print: (line: string) => void): Promise<void> {
  const newest = new Map(deployed.map((one) => [one.service, one]));
  for (const { service, kind, image, before } of newest.values()) {
    if (kind === "innocent" || (await runs(sandbox, service)) !== image) continue;
    const tag = before.slice(before.lastIndexOf(":") + 1);
    await sandbox.deploy(service, tag, "lea");
    print(`${new Date().toISOString()} put ${service} back to ${tag}, which nobody had undone`);
  }
}

async function runs({ endpoints }: Sandbox, service: string): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${endpoints.namespace}/deployments/${service}`;
  const answer = await fetch(new URL(path, endpoints.kubernetes), { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`reading ${service} was answered ${answer.status}`);
  const read: {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { image: string }[] } } };
  } = JSON.parse(await answer.text());
  return read.spec.template.spec.containers[0]?.image ?? "";
}

/** Each incident as the watch last told of it. */
function lastOf({ lines }: WatchProcess): readonly Incident[] {
  return [...new Map(lines.flatMap(({ incident }) => (incident === null ? [] : [[incident.id, incident]]))).values()];
}

async function untilClosed(watch: WatchProcess, patienceMs: number, abort: AbortSignal): Promise<void> {
  const end = Date.now() + patienceMs;
  while (Date.now() < end && lastOf(watch).some(({ closedAt }) => closedAt === null))
    await wait(1000, undefined, { signal: abort });
  // The visitors' own record of the end is part of the judgement.
  await wait(SPAN_MS, undefined, { signal: abort });
}
