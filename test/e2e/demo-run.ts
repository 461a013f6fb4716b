import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";

const Time = z.iso.datetime();

const Line = z.strictObject({
  scenario: z.string(),
  onset: Time,
  detected_at: Time.nullable(),
  decided_at: Time.nullable(),
  executed_at: Time.nullable(),
  recovered_at: Time.nullable(),
  culprit: z.strictObject({ change_id: z.string(), probability: z.number().min(0).max(1) }).nullable(),
  action: z.enum(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]),
  guardrail: z.enum(["allow", "require_approval", "deny"]).nullable(),
  postmortem: z.string().nullable(),
});
/** The demo's last line: exactly these keys, null where there is nothing; `also` where several things were broken. */
export const DemoLine = Line.extend({ also: z.array(Line).optional() });

/** What a command said, and how it ended. */
export interface DemoRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `npm run -s demo -- …` from the checkout, as a newcomer types it; `end` (the test's own time-out) ends all of it. */
export function npmRunDemo(end: AbortSignal, ...options: readonly string[]): Promise<DemoRun> {
  return runIn(join(import.meta.dirname, "../.."), end, ["npm", "run", "-s", "demo", "--", ...options]);
}

/** A command in a folder, whole processes group included. */
export async function runIn(
  cwd: string,
  end: AbortSignal,
  [program = "", ...given]: readonly string[],
): Promise<DemoRun> {
  const child = spawn(program, given, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a process group of its own: npm, its shell and the demo are ended together
  });
  end.addEventListener("abort", () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    said.out += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said.err += chunk;
  });
  await once(child, "close");
  return { code: child.exitCode, ...said };
}

/** The last line, as whoever reads it from a script does. */
export function lastLine({ out, err }: DemoRun): z.infer<typeof DemoLine> {
  const line = out.trimEnd().split("\n").at(-1) ?? "";
  try {
    return DemoLine.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(`the last line is no result: "${line}"\n${err}`, { cause });
  }
}
