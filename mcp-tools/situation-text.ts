import { type Fenced, joined, ours, own, wholeFence } from "../core/model/fenced.ts";
import { likelihood } from "../core/model/likelihood.ts";
import { clockText } from "../core/model/time.ts";
import { callText, type NextCall } from "./next-call.ts";
import type { SituationView, Worst } from "./situation-view.ts";
import { shortened, tokenWeight, WEIGHT_A_TOKEN } from "./token-weight.ts";
import { approversText, type WaitingPlan } from "./waiting-view.ts";

/** The worst incident, with what else holds for all, takes at most so many tokens; each further line at most so many. */
const WORST_WEIGHT = 400 * WEIGHT_A_TOKEN;
const LINE_WEIGHT = 45 * WEIGHT_A_TOKEN;
/** Less says nothing any more. */
const LEAST_WEIGHT = 12 * WEIGHT_A_TOKEN;

/** A line, how much of the room it may take in tokens, and its rank: the first ranks get their room first. */
interface Line {
  readonly text: Fenced | null;
  readonly tokens: number;
  readonly rank: number;
}

/** The situation in short Markdown: of what `view` holds, nothing else. Under 400 tokens and 45 for each further line. */
export function situationText(view: SituationView): Fenced {
  const { worst, further, open, plans_beside, plans_beside_total } = view;
  const left = open - (worst === null ? 0 : 1) - further.length;
  const plansLeft = plans_beside_total - plans_beside.length;
  const lines = [
    ...fitting([...(worst === null ? quietLines(view) : worstLines(worst, view)), ...commonLines(view)], WORST_WEIGHT),
    ...further.map((one) => cut(furtherText(one), LINE_WEIGHT)),
    ...(left > 0 ? [own`- and ${left} more: search_incidents with open_only`] : []),
    ...plans_beside.map((one) => cut(planText(one, view.at), LINE_WEIGHT)),
    ...(plansLeft > 0 ? [own`- and ${plansLeft} more plans: \`unship status\``] : []),
  ];
  const isFenced = lines.some((line) => line.includes("«"));
  return ours([...lines, ...(isFenced ? [view.notice] : [])].join("\n"));
}

function worstLines(worst: Worst, { at, open, next }: SituationView): readonly Line[] {
  const { impact, plan, not_known } = worst;
  const asOf = worst.as_of === null ? "" : own`, as of ${clock(worst.as_of, at)}`;
  const many = open === 1 ? own`1 incident is open.` : own`${open} incidents are open; the worst:`;
  const sure = worst.culprit === null ? "" : own` (${ours(likelihood(worst.culprit.probability))})`;
  const says = worst.culprit_text.includes("%") ? "" : sure;
  return [
    { text: many, tokens: 20, rank: 0 },
    { text: own`**${worst.incident}** ${worst.title}`, tokens: 80, rank: 1 },
    { text: own`- State: ${worst.state}; impact ${impact.level}${asOf}`, tokens: 45, rank: 2 },
    { text: own`- ${worst.culprit_text}${says}`, tokens: 65, rank: 4 },
    { text: worst.why[0] === undefined ? null : own`- ${worst.why[0]}`, tokens: 45, rank: 8 },
    ...(plan === null ? [] : planLines(plan, at)),
    { text: worst.acknowledged && own`- ${worst.acknowledged}`, tokens: 40, rank: 9 },
    {
      text: not_known.length === 0 ? null : own`- Not known: ${joined(not_known, "; ")}`,
      tokens: 45,
      rank: 7,
    },
    nextLine(next),
  ];
}

function planLines(plan: WaitingPlan, at: Fenced): readonly Line[] {
  return [
    { text: own`- Plan ${plan.plan}: ${plan.does}`, tokens: 65, rank: 3 },
    { text: own`- ${answerText(plan, at)}`, tokens: 60, rank: 2 },
    { text: plan.against[0] === undefined ? null : own`- ${plan.against[0]}`, tokens: 45, rank: 6 },
  ];
}

/** How a plan is to be answered, or how it was. */
function answerText(plan: WaitingPlan, at: Fenced): Fenced {
  const { state, answer, approved_by, expires_at } = plan;
  const by = approved_by.length === 0 ? "" : own`, by ${joined(approved_by, ", ")}`;
  const until = own`until ${clock(expires_at, at)}`;
  if (answer === null) return own`The plan is ${state}${state === "approved" ? by : ""}, ${until}`;
  const so = by === "" ? "" : own` (approved so far${by})`;
  return own`To approve: \`${answer}\`, by ${approversText(plan)}${so}, ${until}`;
}

/** That nothing is open, and what that was judged on: never that all is well where it is not known. */
function quietLines({ at, judged_on, none_open: none, next }: SituationView): readonly Line[] {
  if (judged_on === null) return [{ text: none, tokens: 45, rank: 0 }];
  const { signals, changes, because, degraded } = judged_on;
  const isKnown = signals === "measured" && changes === "measured";
  const why = because.length === 0 ? "" : own` (${joined(because, "; ")})`;
  const unknown = isKnown ? "" : own` What is not measured is unknown, not within its baseline.`;
  return [
    { text: none, tokens: 45, rank: 0 },
    {
      text: own`Judged at ${clock(at, at)}: signals ${signals}, changes ${changes}${why}.${unknown}`,
      tokens: 150,
      rank: 2,
    },
    {
      text: degraded.length === 0 ? null : own`Degraded now, in no incident: ${joined(degraded, ", ")}.`,
      tokens: 60,
      rank: 1,
    },
    nextLine(next),
  ];
}

/** What holds whatever is open: who watches, what is paused, damaged, and not settled. */
function commonLines({
  at,
  mode,
  watched,
  watched_since,
  paused,
  damaged,
  acts_beside,
  open,
  evaluations_late,
  evaluation_text,
  no_metrics,
}: SituationView): readonly Line[] {
  const since = watched_since === null ? "" : own` since ${clock(watched_since, at)}`;
  const watch =
    watched === null
      ? own`Whether a watch runs cannot be seen from here; mode ${mode}.`
      : watched
        ? own`Watched${since}, mode ${mode}.`
        : own`NO WATCH runs: nothing is detected or decided until one is started (\`unship watch\`); mode ${mode}.`;
  return [
    { text: watch, tokens: 40, rank: 3 },
    { text: no_metrics.length === 0 ? null : joined(no_metrics, " "), tokens: 80, rank: 1 },
    // Beside an incident that is kept up to date it says nothing new.
    {
      text:
        evaluation_text.length === 0 || (open > 0 && evaluations_late !== true)
          ? null
          : own`${joined(evaluation_text, "; ")}.`,
      tokens: 110,
      rank: 4,
    },
    { text: paused.length === 0 ? null : own`PAUSED: ${joined(paused, ", ")}.`, tokens: 40, rank: 3 },
    {
      text: damaged.length === 0 ? null : own`DAMAGED: ${joined(damaged, "; ")}. Run: unship audit verify`,
      tokens: 60,
      rank: 1,
    },
    {
      text: acts_beside.length === 0 ? null : own`Begun and not settled: ${joined(acts_beside, ", ")}.`,
      tokens: 40,
      rank: 5,
    },
  ];
}

function nextLine(next: NextCall | null): Line {
  if (next === null) return { text: null, tokens: 0, rank: 0 };
  return { text: own`- Next: ${callText(next)}`, tokens: 85, rank: 1 };
}

const furtherText = ({ incident, service, impact, state, plan }: SituationView["further"][number]): Fenced =>
  own`- ${incident} ${service}: impact ${impact}, ${state}${plan === null ? "" : own`, ${plan}`}`;

function planText(plan: WaitingPlan, at: Fenced): Fenced {
  const { answer, incident, state, does, expires_at } = plan;
  const of = incident === null ? own`outside any incident` : own`of ${incident}`;
  const how = answer === null ? state : own`\`${answer}\``;
  return own`- Plan ${of}, ${how}, until ${clock(expires_at, at)}: ${does}`;
}

const clock = (at: Fenced, now: Fenced): Fenced => clockText(Date.parse(at), Date.parse(now));

/** The lines in their order, each cut to its room; where there is not enough for all, those of the last ranks go. */
function fitting(lines: readonly Line[], weight: number): readonly Fenced[] {
  const kept = new Map<Line, Fenced>();
  let left = weight;
  for (const line of lines.toSorted((a, b) => a.rank - b.rank)) {
    const room = Math.min(line.tokens * WEIGHT_A_TOKEN, left);
    if (line.text === null || room < LEAST_WEIGHT) continue;
    const text = cut(line.text, room);
    kept.set(line, text);
    left -= tokenWeight(text);
  }
  return lines.flatMap((line) => kept.get(line) ?? []);
}

const cut = (text: Fenced, weight: number): Fenced => wholeFence(shortened(text, weight));
