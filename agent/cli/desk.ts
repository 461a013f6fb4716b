import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { asOfNow } from "../../core/guardrails/as-of-now.ts";
import { carriedOutBy } from "../../core/guardrails/carried-out-by.ts";
import { ALL_SERVICES, LEDGER_KINDS, pausesAll } from "../../core/guardrails/gate-store.ts";
import { listedName, namesOf } from "../../core/guardrails/names.ts";
import { leftOut } from "../../core/guardrails/open-incidents.ts";
import { pauseScope } from "../../core/guardrails/pause-scope.ts";
import { whyUseless } from "../../core/guardrails/plan-use.ts";
import { type AskedFor, refused, refusedAs } from "../../core/guardrails/refusal.ts";
import { type PlanCase, planCaseLines, planView, stateOf, waitingPlans } from "../../core/guardrails/waiting-plans.ts";
import { reviewIn } from "../../core/guardrails/written-review.ts";
import { clockText, rfc3339 } from "../../core/model/time.ts";
import { atWorkText, atWorkView, carriersOf } from "./at-work-text.ts";
import { type Composition, EXIT, type ExitCode, type ReadFile } from "./composition.ts";
import { type JsonOption, present, say } from "./output.ts";
import { damageLines, planText } from "./plan-text.ts";
import { scopeText } from "./words.ts";

export interface DeskOptions {
  readonly config?: string;
  readonly json?: JsonOption;
  readonly tokenFile?: string;
}

/**
 * The personal token of whoever approves: typed at a terminal, or from a file. Never from the environment or an
 * argument: what an agent's own process can read proves nobody's identity (S3), and so the file must be one that the
 * agent's user cannot read, unless the configuration says otherwise. `asked.what`: what it is for. Throws
 * `approval.refused` of that, before anybody is asked for a token where the file lists nobody whom one would name.
 */
export async function personalToken(
  to: Composition,
  options: DeskOptions,
  { config, file, what }: { readonly config: Config; readonly file: string; readonly what: AskedFor },
): Promise<string> {
  const { gate, approvers } = config;
  // A gate's own process has a file of its own, which lists its approvers.
  if (
    gate === undefined &&
    approvers.every(({ tokenSha256, tokenKey }) => tokenSha256 === null && tokenKey === undefined)
  ) {
    throw refusedAs(what, refused(`${file} ${approvers.length === 0 ? NOBODY : NO_TOKEN}. ${ADD}`));
  }
  try {
    return await tokenOf(to, options, config);
  } catch (error) {
    throw error instanceof UnshipError ? refusedAs(what, error) : error;
  }
}

const NOBODY = "lists no approver";
const NO_TOKEN = "lists no approver with a personal token";
const ADD = "Add one under `approvers`: name, and token_key, which `unship approver-key` derives from a random token";

async function tokenOf(to: Composition, options: DeskOptions, config: Config): Promise<string> {
  // A ledger on a server is nobody's file, and one that a gate of its own keeps is not the agent's; the memory is.
  const { ledger, knowledge, gate } = config;
  const agents = ledger.type === "sqlite" && gate === undefined ? ledger.path : knowledge.path;
  const agentFile = config.approval.tokenFile === "same_user" ? null : agents;
  if (options.tokenFile !== undefined) return (await to.readSecretFile(options.tokenFile, agentFile)).trim();
  if (to.terminal.askSecret !== null) return (await to.terminal.askSecret("Your personal token: ")).trim();
  throw refused("no personal token: type it at a terminal, or name a file that holds it with --token-file");
}

/** `unship approve PLAN`: records one person's approval of exactly this plan; who proposed it submits it, the gate decides. */
export async function approve(to: Composition, planId: string, options: DeskOptions): Promise<ExitCode> {
  const { config, file } = await to.config(options, "no-sources");
  const { gate, ledger } = await to.desk(config);
  try {
    const plan = await ledger.plan(planId);
    if (plan === null) throw new UnshipError("plan.unknown", { plan: planId });
    const incident = await ledger.incident(plan.incidentId);
    const useless = whyUseless(plan, incident);
    if (useless !== null) throw refusedAs("approval", refused(useless));
    const kinds = [LEDGER_KINDS.planReviewed];
    const said = (await ledger.entries({ incidentId: plan.incidentId, kinds })).findLast(
      (one) => one.planId === planId,
    );
    const now = to.now();
    const review = reviewIn(said);
    const standing = { pauses: await ledger.pauses(), freezeWindows: config.freezeWindows, now };
    const asked = review === null ? undefined : asOfNow(review, standing);
    if (options.json !== true) say(to, [...damageLines(incident, now), ...planText(plan, config, asked, now)]);
    const { by, expiresAt, stillNeeded } = await gate.approve(
      planId,
      await personalToken(to, options, { config, file, what: "approval" }),
      // Whoever types a token takes a while: they say yes to what they read, not to what stands there by then (S4).
      plan.hash,
    );
    const next = carriedOutBy(plan, carriersOf(await to.atWork(config)));
    const value = {
      ...{ plan: planId, approved_by: by, expires_at: rfc3339(expiresAt), still_needed: stillNeeded },
      carried_out_by: stillNeeded === 0 ? next : null,
    };
    await present(to, options.json, value, [
      `Approved by ${by}, valid until ${clockText(expiresAt, now)}.`,
      stillNeeded === 0
        ? `${next.charAt(0).toUpperCase()}${next.slice(1)}; the gate checks every rule once more before anything happens.`
        : "Nothing happens yet: this plan needs a second person. Ask one of those who may approve it.",
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

/** `unship reject PLAN`: says no to a plan, with a reason; it cannot be approved afterwards. */
export async function reject(
  to: Composition,
  planId: string,
  options: DeskOptions & { readonly reason?: string },
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "no-sources");
  const { gate, ledger } = await to.desk(config);
  try {
    const { by } = await gate.reject(
      planId,
      await personalToken(to, options, { config, file, what: "rejection" }),
      options.reason ?? "no reason given",
    );
    await present(to, options.json, { plan: planId, rejected_by: by }, [
      `Rejected by ${by}: this plan will not be executed, and the watch will not propose it again in this incident.`,
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

/**
 * `unship pause [SCOPE]`: stops every execution for a service or for all. Anyone may. It is recorded in any case, and
 * whoever starts on that ledger obeys it; exit code 1 where nobody runs on it, since then it may be another ledger than
 * the one that somebody wants to stop.
 */
export async function pause(
  to: Composition,
  asked: string,
  options: DeskOptions & { readonly by: string },
): Promise<ExitCode> {
  const { config, file, instead } = await to.config(options, "pause");
  const known = instead === undefined ? Object.keys(config.services) : (instead.services ?? []);
  const scope = knownScope(asked, known, file);
  const { gate, ledger } = await to.desk(config, "made");
  try {
    await gate.pause(scope, options.by);
    const who = await to.atWork(config);
    const obeyedBy = atWorkView(who, config);
    const until = `until an approver runs: unship resume ${scopeText(scope)}`;
    const what = scopeText(scope) === "all" ? "nothing will be executed" : `nothing will be executed on ${scope}`;
    const unused = instead === undefined ? [] : unusedLines(file, scope, instead);
    const value = { paused: scope, by: options.by, ledger: who.ledger, obeyed_by: obeyedBy };
    await present(to, options.json, { ...value, ...(instead === undefined ? {} : { file_not_used: instead.reason }) }, [
      ...unused,
      ...(obeyedBy.length > 0
        ? [`Paused: ${what} ${until}`, `Obeyed by ${atWorkText(who, to.now())}, on ${who.ledger}.`]
        : [
            `Recorded in ${who.ledger}, but nobody obeys it yet: no watch, gate or MCP server that may act runs on this ledger.`,
            `Whoever starts on it obeys, ${until}`,
            `What runs with another configuration goes on: pause it with that one, unship pause --config FILE (this was ${file}).`,
          ]),
    ]);
    return obeyedBy.length > 0 ? EXIT.ok : EXIT.no;
  } finally {
    await ledger.close();
  }
}

/** What somebody has to know who paused while the file could not be used. */
const unusedLines = (file: string, scope: string, instead: NonNullable<ReadFile["instead"]>): readonly string[] => [
  `CAUTION: ${file} has problems (unship check -c ${file}): ${instead.reason}`,
  ...(instead.services === null && !pausesAll(scope)
    ? [`That ${scope} is a service of it could not be checked. To stop everything: unship pause all -c ${file}`]
    : []),
];

/** The scope of a pause by a file; see `pauseScope`. Throws "input.invalid" where nothing is paused by that name. */
function knownScope(asked: string, known: readonly string[], file: string): string {
  const found = pauseScope(asked, known);
  if ("scope" in found) return found.scope;
  const reason =
    found.refused === "no name"
      ? "name a service, or all"
      : `nothing was paused: ${file} has no such service; there are all, ${known.join(", ")}`;
  throw new UnshipError("input.invalid", { what: found.what, reason });
}

/** Whether a pause of this scope holds the plan. */
const isOfScope = ({ plan }: PlanCase, scope: string, { services }: Config): boolean =>
  pausesAll(scope) ||
  plan.targets.some((target) => listedName(namesOf(target, services), [scope.trim()]) !== undefined);

/** What becomes of plans that wait once a pause is over, by whether a watch runs. */
const JUDGED_AGAIN: Readonly<Record<string, string>> = {
  true: "What waits is judged again at the watch's next evaluation.",
  false: "No watch runs: what waits is judged again when one is started.",
  null: "What waits is judged again at the watch's next evaluation, where one runs.",
};

/** `unship resume [SCOPE]`: ends a pause; needs an approver's token (S14). */
export async function resume(to: Composition, scope: string, options: DeskOptions): Promise<ExitCode> {
  const { config, file } = await to.config(options, "no-sources").catch((error: unknown) => {
    throw isOfTheFile(error) ? stillPaused(error, options) : error;
  });
  const { gate, ledger } = await to.desk(config);
  try {
    const now = to.now();
    const named = pausesAll(scope) ? ALL_SERVICES : scope.trim();
    const pauses = await ledger.pauses();
    const isPaused = pauses.some((pause) => pause.scope === named);
    const freed = (isPaused ? await waitingPlans(ledger, now, leftOut) : []).filter(
      (one) => stateOf(one, now) === "approved" && isOfScope(one, scope, config),
    );
    const { freezeWindows } = config;
    const at = carriersOf(await to.atWork(config));
    const before = { standing: { pauses, freezeWindows, now }, at };
    // Whoever ends a pause says yes to what they read.
    if (options.json !== true && freed.length > 0)
      say(to, [
        `Approved, and held by the pause: ${freed.length}`,
        ...freed.flatMap((one) => planCaseLines(one, before)),
      ]);
    const { by } = await gate.resume(scope, await personalToken(to, options, { config, file, what: "resume" }));
    const runs = freed.map(({ plan }) => plan.id);
    const since = { pauses: await ledger.pauses(), freezeWindows, now: to.now() };
    await present(to, options.json, { resumed: scope, by, runs: freed.map((one) => planView(one, config, since)) }, [
      `Resumed by ${by}: ${scopeText(scope) === "all" ? "everything" : scope}. ${JUDGED_AGAIN[String(at.isWatched)]}`,
      ...(runs.length === 0
        ? []
        : [
            `Approved before, and carried out now unless another rule holds or denies it: ${runs.join(", ")}`,
            ...freed.map(({ plan }) => `${plan.id}: ${carriedOutBy(plan, at)}`),
          ]),
    ]);
    return EXIT.ok;
  } finally {
    await ledger.close();
  }
}

const isOfTheFile = (error: unknown): error is UnshipError =>
  error instanceof UnshipError && (error.code === "config.invalid" || error.code === "config.unreadable");

/** Who may end a pause stands in the file: without it nobody can. */
const stillPaused = ({ message, cause }: UnshipError, { config = "unship.yaml" }: DeskOptions): UnshipError =>
  new UnshipError(
    "input.invalid",
    {
      what: config,
      reason: `NOTHING WAS RESUMED, what is paused stays paused: it lists who may end a pause, and cannot be used as it is now (${message.replace(/\.$/, "")}). Fix it`,
    },
    { cause },
  );
