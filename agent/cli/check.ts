import { asAtWork, modeText, otherVersionLines } from "../../core/config/at-work-mode.ts";
import type { Config } from "../../core/config/config.ts";
import { deepAsWritten } from "../../core/config/filled.ts";
import { coverageWords } from "../../core/correlation/graph-coverage.ts";
import { UnshipError } from "../../core/errors.ts";
import { lacksApprovers, type WhoApproves, whoApproves, whoApprovesText } from "../../core/guardrails/who-approves.ts";
import { modesAtWork } from "./at-work-text.ts";
import { type CheckLine, type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/**
 * `unship check`: validates the file (every problem at once, exit code 2), says in plain words what it will make
 * unship do, who can approve each action that the file allows, and unless `--offline` asks each source for one thing.
 * Exit code 1 where an action can be approved by nobody though the file names approvers or acts only with one, or where
 * the agent holds what can write though a gate of its own acts; else 3 if a source does not answer.
 */
export async function check(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption; readonly offline?: boolean },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "sources");
  const explained = await to.explain(config);
  // What sources and approvers are called may come from a variable (S10).
  const shown = <T>(answer: T): T => deepAsWritten(answer, config.filled);
  const lines = options.offline === true ? [] : shown(await to.checkSources(config, abort));
  const sources = lines.filter((line) => line.callGraph === undefined);
  const callGraph = lines.find((line) => line.callGraph !== undefined)?.callGraph ?? null;
  const who = whoApproves(config);
  const lacking = lacksApprovers(config, who);
  const approvals = shown(who);
  const atWork = await otherwiseAtWork(to, config, file, options.offline === true);
  const words = [
    ...explained,
    ...(config.approvers.length === 0 && !lacking ? [] : approvalLines(approvals)),
    ...(sources.length === 0 ? [] : ["", "Sources:"]),
    ...sources.map((line) => `  ${verdict(line)} ${line.text}`),
    ...(callGraph === null ? [] : ["", "Call graph:", ...coverageWords(callGraph).map((text) => `  ${text}.`)]),
    ...(atWork.length === 0 ? [] : ["", "At work now, and not by this file:", ...atWork.map((line) => `  ${line}`)]),
  ];
  const ok = sources.every((line) => line.ok);
  await present(
    to,
    options.json,
    {
      file,
      ok: ok && !lacking,
      explained,
      approvals: approvals.map(approvalView),
      sources,
      not_by_this_file: atWork,
      ...(callGraph === null ? {} : { callGraph }),
    },
    words,
  );
  if (lacking || sources.some(({ tooMuch }) => tooMuch === true)) return EXIT.no;
  return sources.every(({ ok }) => ok) ? EXIT.ok : EXIT.unavailable;
}

/**
 * What runs on the file's ledger and obeys something else than what was just explained: another mode, or another version
 * of the file. Without asking a server where only the machine itself may be asked (`offline`).
 */
async function otherwiseAtWork(
  to: Composition,
  config: Config,
  file: string,
  offline: boolean,
): Promise<readonly string[]> {
  if (offline && (config.gate !== undefined || config.ledger.type !== "sqlite")) return [];
  try {
    const modes = modesAtWork(await to.atWork(config));
    const otherMode = asAtWork(config, modes).mode === config.mode ? [] : [modeText(config, file, modes)];
    return [...otherMode, ...otherVersionLines(config, file, modes)];
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return [`Who is at work on its ledger is not known: ${error.message}`];
  }
}

const verdict = ({ ok, tooMuch }: CheckLine): string => (ok ? "ok  " : tooMuch === true ? "FAIL" : "DOWN");

/** Those that nobody can approve first: they are what has to be mended. */
function approvalLines(approvals: readonly WhoApproves[]): readonly string[] {
  if (approvals.length === 0) return [];
  const sorted = approvals.toSorted((one, other) => Number(one.possible) - Number(other.possible));
  return [
    "",
    "Who can approve what:",
    ...sorted.map((one) => `  ${one.possible ? "ok  " : "FAIL"} ${whoApprovesText(one)}`),
  ];
}

const approvalView = ({ action, services, who, needed, possible }: WhoApproves) => ({
  action,
  services: services.flatMap((service) => service ?? []),
  undescribed_services: services.includes(null),
  who,
  needed,
  possible,
});
