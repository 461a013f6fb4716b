import { asAtWork, modeText, otherVersionLines } from "../../core/config/at-work-mode.ts";
import type { Config, ConfigProblem } from "../../core/config/config.ts";
import { deepAsWritten } from "../../core/config/filled.ts";
import { formatProblem } from "../../core/config/load.ts";
import { coverageWords } from "../../core/correlation/graph-coverage.ts";
import { UnshipError } from "../../core/errors.ts";
import { lacksApprovers, type WhoApproves, whoApproves, whoApprovesText } from "../../core/guardrails/who-approves.ts";
import { modesAtWork } from "./at-work-text.ts";
import { type CheckLine, type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/**
 * `unship check`: validates the file (every problem at once, exit code 2), says in plain words what it will make
 * unship do, who can approve each action that the file allows, and unless `--offline` asks each source, and holds every
 * name, label, metric and query of the file against what they know. Its last line is the verdict.
 *
 * Exit code 1 where the file is wrong about the live system or its PromQL, where an action can be approved by nobody
 * though the file names approvers or acts only with one, or where the agent holds what can write though a gate of its own
 * acts; else 3 if a source does not answer.
 */
export async function check(
  to: Composition,
  options: {
    readonly config?: string;
    readonly json?: JsonOption;
    readonly offline?: boolean;
    /** Only what was found wrong or right, and not what the file will make unship do. */
    readonly brief?: boolean;
  },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "sources");
  const explained = await to.explain(config);
  // What sources and approvers are called may come from a variable (S10).
  const shown = <T>(answer: T): T => deepAsWritten(answer, config.filled);
  const unreadable = shown(await to.checkQueries(config, file));
  const lines = options.offline === true ? [] : shown(await to.checkSources(config, file, abort));
  const told = lines.filter((line) => line.callGraph === undefined);
  const sources = told.filter(({ proof }) => proof !== true);
  const proof = told.filter((line) => line.proof === true);
  const callGraph = lines.find((line) => line.callGraph !== undefined)?.callGraph ?? null;
  const problems = [...unreadable, ...proof.flatMap(({ problem }) => problem ?? [])].toSorted(
    (one, other) => one.line - other.line || one.column - other.column,
  );
  const who = whoApproves(config);
  const lacking = lacksApprovers(config, who);
  const approvals = shown(who);
  const atWork = await otherwiseAtWork(to, config, file, options.offline === true);
  const verdict = verdictOf({ config, problems, sources, proof, lacking, offline: options.offline === true });
  const words = [
    ...(options.brief === true ? [] : explained),
    ...(config.approvers.length === 0 && !lacking ? [] : approvalLines(approvals)),
    ...(sources.length === 0 ? [] : ["", "Sources:"]),
    ...sources.map((line) => `  ${mark(line)} ${line.text}`),
    ...(problems.length + proof.length === 0 ? [] : ["", "The file against what is there:"]),
    ...problems.map((problem) => `  FAIL ${formatProblem(problem)}`),
    ...proof.filter(({ problem }) => problem === undefined).map((line) => `  ${mark(line)} ${line.text}`),
    ...(callGraph === null ? [] : ["", "Call graph:", ...coverageWords(callGraph).map((text) => `  ${text}.`)]),
    ...(atWork.length === 0 ? [] : ["", "At work now, and not by this file:", ...atWork.map((line) => `  ${line}`)]),
    "",
    `Verdict: ${verdict.text}`,
  ];
  await present(
    to,
    options.json,
    {
      file,
      ok: verdict.code === EXIT.ok,
      verdict: verdict.text,
      problems,
      explained,
      approvals: approvals.map(approvalView),
      sources,
      not_by_this_file: atWork,
      proof: proof.filter(({ problem }) => problem === undefined),
      ...(callGraph === null ? {} : { callGraph }),
    },
    words,
  );
  return verdict.code;
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

interface Findings {
  readonly config: Config;
  readonly problems: readonly ConfigProblem[];
  readonly sources: readonly CheckLine[];
  readonly proof: readonly CheckLine[];
  readonly lacking: boolean;
  readonly offline: boolean;
}

/** The one line that says whether the file can be used as it is, and the exit code that means the same. */
function verdictOf({ config, problems, sources, proof, lacking, offline }: Findings): {
  readonly text: string;
  readonly code: ExitCode;
} {
  const tooMuch = sources.filter((line) => line.tooMuch === true).length;
  const toFix = problems.length + tooMuch + (lacking ? 1 : 0);
  const down = sources.filter((line) => !line.ok && line.tooMuch !== true).length;
  const silent = `${down} of ${sources.length} questions to sources got no answer (DOWN)`;
  if (toFix > 0) {
    const beside = down === 0 ? "" : `; ${silent}`;
    return {
      text: `not ready: ${toFix} ${toFix === 1 ? "problem" : "problems"} to fix (FAIL)${beside}.`,
      code: EXIT.no,
    };
  }
  if (down > 0) return { text: `not proven: ${silent}, and what it would be is unknown.`, code: EXIT.unavailable };
  if (offline) return { text: "the file is sound; no source was asked (--offline).", code: EXIT.ok };
  const cautions = proof.filter(({ caution }) => caution === true).length;
  const notes = cautions === 0 ? "" : `, with ${cautions} ${cautions === 1 ? "thing" : "things"} to know (NOTE)`;
  return { text: `ready for mode ${config.mode}: every source answered${notes}.`, code: EXIT.ok };
}

const mark = ({ ok, tooMuch, caution }: CheckLine): string =>
  caution === true ? "NOTE" : ok ? "ok  " : tooMuch === true ? "FAIL" : "DOWN";

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
