import { waitingPlan } from "../../../core/guardrails/incident-text.ts";
import { knownLevel } from "../../../core/impact/worst-first.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { asItStands, likeliestOf } from "../../../core/model/recorded.ts";
import { rfc3339 } from "../../../core/model/time.ts";
import type { Episode } from "../../../evals/replay/episode.ts";
import { situationText } from "../../../mcp-tools/situation-text.ts";
import { ago, clock, type Fact, facts, outcomeIn, type Says, type Span, share } from "./facts.ts";
import type { Stopped } from "./replayed.ts";
import { approversIn, saidByDraft } from "./said-by-drafts.ts";
import { known, millis, saidByInvestigation } from "./said-by-investigation.ts";
import type { Json, Surfaces } from "./surfaces.ts";

/** What an incident's own record holds: what every surface is held against. */
function saidByRecord(stored: Incident, now: number): Says {
  const one = asItStands(stored);
  const { decision, ranking, gate, impact } = one;
  const likeliest = likeliestOf(one);
  const acts = gate?.outcome === "executed";
  return {
    action: decision?.action ?? null,
    culprit: decision?.culprit?.changeId ?? null,
    probability: decision?.culprit?.probability,
    likeliest: likeliest?.changeId ?? null,
    "likeliest's probability": likeliest?.probability,
    "no change": ranking?.noChangeProbability,
    onset: one.onset?.at ?? null,
    stage: one.stage,
    outcome: one.outcome,
    "impact level now": knownLevel(one),
    "failed share now": impact?.failedShare ?? undefined,
    "plan that waits": waitingPlan(one, now)?.id ?? null,
    executed: acts ? "yes" : "no",
    "executed at": acts ? (gate.executedAt ?? undefined) : undefined,
    recovery: one.recovery?.verdict ?? null,
    "closed at": one.closedAt,
    "detected at": one.detectedAt,
  };
}

/** All that is said of one incident at this moment. */
export function saidOf(one: Incident, stopped: Stopped, all: Surfaces): readonly Fact[] {
  const { now } = stopped;
  const { tools, resources, drafts, report, status } = all;
  const told = tools.get(one.id);
  const draft = drafts.get(one.id);
  const episode = report.episodes.get(one.id);
  return [
    ...facts("record", saidByRecord(one, now)),
    ...facts("status --json", saidByStatusJson(one.id, status.json)),
    ...facts("status", saidByStatus(one.id, status.text, now)),
    ...facts("get_incident", saidByIncident(told?.get("get_incident"))),
    ...facts("unship://incidents", saidByIncident(resources.get(one.id))),
    ...facts("search_incidents open_only", saidBySearch(one.id, tools.get("")?.get("open_only"), now)),
    ...facts("get_situation", saidBySituation(one.id, tools.get("")?.get("situation"))),
    ...facts("get_situation in words", saidBySituationText(one.id, tools.get("")?.get("situation"), now)),
    ...facts("search_incidents", saidByLatest(one.id, tools.get("")?.get("latest"))),
    ...facts("unship://open-incidents", saidBySearch(one.id, resources.get(""), now)),
    ...(draft === undefined
      ? []
      : [...saidByDraft("postmortem", draft.md, now), ...saidByDraft("postmortem --format html", draft.html, now)]),
    ...(episode === undefined ? [] : facts("episode", saidByEpisode(episode))),
    ...saidByNotices(one, stopped),
  ];
}

function saidByStatusJson(id: string, { open, closed }: Json): Says {
  const one = [...open, ...closed].find((each: Json) => each.id === id);
  if (one === undefined) return {};
  return {
    action: one.action,
    culprit: one.culprit?.changeId ?? null,
    probability: one.culprit?.probability,
    likeliest: one.likeliest?.changeId ?? null,
    "likeliest's probability": one.likeliest?.probability,
    executed: one.gate === "executed" ? "yes" : "no",
    "executed at": millis(one.executed_at) ?? undefined,
    "no change": one.no_change_probability ?? undefined,
    stage: one.stage,
    outcome: one.outcome,
    onset: millis(one.onset),
    "detected at": millis(one.detected_at),
    "closed at": millis(one.closed_at),
    ...(one.impact === undefined
      ? {}
      : {
          "impact level now": one.impact.level,
          "failed share now": one.impact.failed_share ?? undefined,
          "affected now": one.affected_services,
          "plan that waits": one.waiting?.plan ?? null,
          "in words": one.state,
        }),
    approver: one.gate === "executed" ? one.approved_by : undefined,
    recovery: one.recovery,
  };
}

const FAILING = /(\d+(?:\.\d+)? %) of requests fail at/;

function saidByStatus(id: string, text: string, now: number): Says {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`  ${id}  `));
  const head = lines[at];
  if (head === undefined) return {};
  const closed = /^ {2}\S+ {2}(?:\S+ )?(\d\d:\d\d:\d\d) UTC {2}(.*)$/.exec(head);
  if (closed !== null) return { "closed at": clock(closed[1], now), ...outcomeIn(closed[2] ?? "") };
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => !line.startsWith("    "));
  const own = rest.slice(0, end < 0 ? undefined : end);
  const [, since, state] = / for (\S+): (.*)$/.exec(head) ?? [];
  const decided = own.map((line) => DECIDED.exec(line)).find((one) => one !== null);
  const affected = own.map((line) => /^ {4}affected: (.*)$/.exec(line)).find((one) => one !== null);
  const impact = own.map((line) => /^ {4}impact (\w+)[:,]?/.exec(line)).find((one) => one !== null);
  return {
    onset: ago(since, now),
    "in words": state?.replace("NEEDS APPROVAL", "needs approval"),
    action: decided?.[1],
    likeliest: decided === undefined ? undefined : (decided?.[2] ?? null),
    "likeliest's probability": share(decided?.[3]),
    approver: approversIn(own.find((line) => line.startsWith("    executed")) ?? ""),
    "impact level now": impact?.[1],
    "failed share now": share(FAILING.exec(own.join("\n"))?.[1]),
    "affected now": affected?.[1]?.split(", "),
    "plan that waits": /unship approve (\S+)/.exec(own.join("\n"))?.[1] ?? null,
  };
}

const DECIDED =
  /^ {4}(rollback|feature_flag_disable|hotfix_recommendation|no_action)(?:(?:; the likeliest is| of) (\S+) \(([^)]*)\))?$/;

function saidByIncident(one: Json): Says {
  if (one === undefined || one === null) return { "is there": "no" };
  const [level] = String(one.impact ?? "").split(":");
  const executed = String(one.gate ?? "").startsWith("executed");
  return {
    action: one.action,
    culprit: one.culprit?.change ?? null,
    probability: one.culprit === null ? undefined : near(one.culprit?.probability),
    likeliest: one.likeliest?.split(", ")[0] ?? null,
    "likeliest's probability": share(one.likeliest?.split(", ")[1]),
    stage: one.stage,
    ...(one.stage === "closed" ? {} : { "in words": one.state }),
    outcome: one.outcome,
    onset: millis(one.onset),
    "detected at": millis(one.detected_at),
    "impact level now": level === "" ? undefined : level,
    "failed share now": share(FAILING.exec(String(one.impact ?? ""))?.[1]),
    "affected now": one.affected_services,
    "plan that waits": /unship approve (\S+?)`/.exec(one.next ?? "")?.[1] ?? null,
    executed: executed ? "yes" : "no",
    approver: executed ? one.approved_by : undefined,
    recovery: one.recovery === null ? null : String(one.recovery).split(":")[0],
    "known of changes": known(one.unheard),
  };
}

/** A figure of a tool has four digits. */
const near = (value: number | undefined): Span | undefined =>
  value === undefined ? undefined : [value - 0.0005, value + 0.0005];

function saidBySearch(id: string, answer: Json, now: number): Says {
  const one = answer?.incidents?.find((each: Json) => each.incident === id);
  if (one === undefined) return {};
  return {
    "detected at": millis(one.at),
    "in words": String(one.outcome).replace(/^open: /, ""),
    "impact level now": /impact (\S+?):/.exec(one.summary)?.[1],
    onset: clock(/degraded since (?:\S+ )?(\d\d:\d\d:\d\d) UTC/.exec(one.summary)?.[1], now),
    "failed share now": share(FAILING.exec(one.summary)?.[1]),
    "plan that waits": /unship approve (\S+?)`/.exec(one.waits ?? "")?.[1] ?? null,
  };
}

function saidBySituation(id: string, { worst, further }: Json): Says {
  const one = worst?.incident === id ? worst : further.find((each: Json) => each.incident === id);
  if (one === undefined) return {};
  const common = { "in words": one.state, "impact level now": one.impact.level ?? one.impact };
  if (one !== worst) return { ...common, "plan that waits": one.plan };
  return {
    ...common,
    action: one.action,
    culprit: one.culprit?.change ?? null,
    probability: near(one.culprit?.probability),
    stage: one.stage,
    onset: millis(one.onset),
    "failed share now": near(one.impact.failed_share ?? undefined),
    "affected now": one.affected_services,
    "plan that waits": one.plan?.state === "waiting" ? one.plan.plan : null,
  };
}

function saidBySituationText(id: string, view: Json, now: number): Says {
  if (view.worst?.incident !== id) return {};
  const text = situationText(view);
  const [, state, level] = /^- State: (.*); impact (\w+)(?:, as of .*)?$/m.exec(text) ?? [];
  return {
    "in words": state,
    "impact level now": level,
    onset: clock(/degraded since (?:\S+ )?(\d\d:\d\d:\d\d) UTC/.exec(text)?.[1], now),
    "plan that waits": /`unship approve (\S+)`/.exec(text)?.[1] ?? null,
    "likeliest's probability": share(
      /^- (?:Culprit: (?!no )|Suspected: ).*\(\S+\), ((?:[<>] )?\d+ %)$/m.exec(text)?.[1],
    ),
  };
}

function saidByLatest(id: string, answer: Json): Says {
  const one = answer?.incidents?.find((each: Json) => each.incident === id);
  if (one === undefined) return {};
  return {
    "detected at": millis(one.at),
    outcome: one.outcome === "open" ? null : one.outcome,
    action: /: \S+, (\S+?)»?$/.exec(one.summary)?.[1],
  };
}

/** What `investigate` and the replay say. Its decision may be another one than the record's, which it explains. */
export function saidByEpisode(one: Episode): Says {
  const isNothing = one.action === "no_action";
  return {
    "detected at": millis(one.detected_at),
    onset: millis(one.onset_estimate),
    executed: one.executed_at === null ? "no" : "yes",
    "executed at": millis(one.executed_at) ?? undefined,
    ...(isNothing ? {} : { action: one.action, culprit: one.culprit?.change_id ?? null }),
    "worst impact level": one.business_impact ?? undefined,
    "affected ever": one.affected_services,
    "known of changes": (one.unheard ?? []).length === 0 ? "no change" : "no known change",
    "decided at": millis(one.decided_at),
  };
}

/** What people were told of it just now, in the words of the notice. */
function saidByNotices(one: Incident, { notices, now }: Stopped): readonly Fact[] {
  return notices
    .filter(({ incidentId }) => incidentId === one.id)
    .flatMap(({ lines, to, title }) => {
      const text = lines.join("\n");
      const [, blamed] = /^(?:Culprit: (?!no )|Suspected: ).*\((\S+)\), (?:[<>] )?\d+ %$/m.exec(text) ?? [];
      return facts(`notice to ${to} (${title.slice(0, 60)})`, {
        onset: clock(/degraded since (?:\S+ )?(\d\d:\d\d:\d\d) UTC/.exec(text)?.[1], now),
        "impact level now": /^Impact (\S+?):/m.exec(text)?.[1],
        "failed share now": share(FAILING.exec(text)?.[1]),
        likeliest: blamed ?? (/^Culprit: no /m.test(text) ? null : undefined),
        "likeliest's probability": share(
          /^(?:Culprit: (?!no )|Suspected: ).*\(\S+\), ((?:[<>] )?\d+ %)$/m.exec(text)?.[1],
        ),
        "no change": share(/no (?:known )?change, ((?:[<>] )?\d+ %)/.exec(text)?.[1]),
        "known of changes": /no known change/.test(text)
          ? "no known change"
          : /no change/.test(text)
            ? "no change"
            : undefined,
        "plan that waits": /^unship approve (\S+)/m.exec(text)?.[1],
      });
    });
}

/** What tools and `investigate` find on the evidence of this moment, whatever was decided before. */
export function foundNow(one: Incident, { now }: Stopped, { tools, investigated }: Surfaces): readonly Fact[] {
  const told = tools.get(one.id);
  const [explained, ranked, impact, findings] = [
    "explain_decision",
    "rank_candidates",
    "assess_impact",
    "get_findings",
  ].map((name) => told?.get(name));
  const asked = investigated.get(one.id);
  if (explained === undefined) return [];
  const best = ranked?.candidates?.[0];
  const culprit = explained.decision.culprit;
  return [
    ...facts("explain_decision", {
      action: explained.decision.action,
      culprit: culprit?.changeId ?? null,
      probability: culprit?.probability,
      coverage: coverage(explained),
      "needs a person": explained.execution === null ? undefined : explained.execution.without_person ? "no" : "yes",
      at: millis(explained.at),
    }),
    ...facts("rank_candidates", {
      ...(culprit === null ? {} : { probability: probabilityOf(culprit?.changeId, ranked) }),
      likeliest: best?.changeId ?? null,
      "no change": ranked?.no_change?.noChangeProbability,
      coverage: coverage(ranked),
    }),
    ...facts("assess_impact", {
      "impact level": impact?.level,
      "failed share": impact?.impact?.failedShare ?? undefined,
      affected: impact?.impact?.affectedServices,
      coverage: coverage(impact),
    }),
    ...facts("assess_impact's sentences", {
      "failed share": share(FAILING.exec(String(impact?.impact?.sentences ?? ""))?.[1]),
    }),
    // A plan that waits shows that nothing runs without a person.
    ...facts("record", { "needs a person": waitingPlan(one, now) === null ? undefined : "yes" }),
    ...facts("get_incident", {
      "needs a person":
        waitingPlan(one, now) === null
          ? undefined
          : (told?.get("get_incident")?.needs_person ?? []).length > 0
            ? "yes"
            : "no",
    }),
    // What was read before the act and what is read after it are of two times, though at one moment of this clock.
    ...(one.present?.at === now && one.gate?.executedAt !== now
      ? facts("record", {
          "impact level": knownLevel(asItStands(one)),
          "failed share": one.present.impact?.failedShare,
        })
      : []),
    ...facts("get_findings", { affected: findings?.affected?.services, coverage: coverage(findings) }),
    ...(asked === undefined ? [] : saidByInvestigation(asked.text, asked.json, now)),
  ];
}

const coverage = (answer: Json): string => `${answer?.coverage?.signals}, ${answer?.coverage?.changes}`;
const probabilityOf = (id: string, ranked: Json): number | undefined =>
  ranked?.candidates?.find((each: Json) => each.changeId === id)?.probability;

/** Of a watch's line, against the incident that comes with it. */
export function saidByLines({ events }: Stopped): readonly (readonly [string, readonly Fact[]])[] {
  return events.flatMap(({ event, text, incident, at }) => {
    if (incident === null) return [];
    const record = facts("the event's incident", saidByRecord(incident, at));
    const where = `watch: ${event}`;
    const [, clause, id, sure] = /^(roll back|switch off|a person must fix) (\S+) \(([^)]*)\)[:,] /.exec(text) ?? [];
    const said: Says =
      event === "incident.decided"
        ? {
            action: clause === undefined ? (text.startsWith("no action") ? "no_action" : undefined) : ACTIONS[clause],
            culprit: id,
            probability: share(sure),
          }
        : event === "incident.assessed"
          ? { "no change": share(/no (?:known )?change ((?:[<>] )?\d+ %)$/.exec(text)?.[1]) }
          : event === "incident.closed"
            ? { outcome: /^(\S+?):? /.exec(text)?.[1], stage: "closed" }
            : event === "incident.verified"
              ? { outcome: /^(\S+) /.exec(text)?.[1] }
              : event === "plan.executed"
                ? { executed: "yes" }
                : {};
    const after = / (\S+) after onset: /.exec(text)?.[1];
    const onset = ago(after, incident.recovery?.at ?? at);
    const all: Says = onset === undefined ? said : { ...said, onset };
    return [[`${event} ${rfc3339(at)}`, [...record, ...facts(where, all)]] as const];
  });
}

const ACTIONS: Readonly<Record<string, string>> = {
  "roll back": "rollback",
  "switch off": "feature_flag_disable",
  "a person must fix": "hotfix_recommendation",
};
