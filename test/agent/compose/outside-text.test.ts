import { beforeAll, describe, expect, it } from "vitest";
import { linkTools } from "../../../agent/chain/mcp-client.ts";
import type { Composition } from "../../../agent/cli/composition.ts";
import { investigate } from "../../../agent/cli/investigate.ts";
import { say } from "../../../agent/cli/output.ts";
import { planText } from "../../../agent/cli/plan-text.ts";
import { status } from "../../../agent/cli/status.ts";
import { watch as watchCommand } from "../../../agent/cli/watch.ts";
import { toolContext } from "../../../agent/compose/chain.ts";
import { draftPostmortem } from "../../../agent/compose/postmortems.ts";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import { quote } from "../../../core/model/untrusted-text.ts";
import type { Executor, Sources } from "../../../core/ports.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
import { TOOLS } from "../../../mcp-tools/catalog.ts";
import { messageOf } from "../../../mcp-tools/connectors/slack/message.ts";
import { completions } from "../../../mcp-tools/prompts/completion.ts";
import { promptText } from "../../../mcp-tools/prompts/prompts.ts";
import { listResources, readResource } from "../../../mcp-tools/resources/resources.ts";
import { createServer } from "../../../mcp-tools/server.ts";
import { getSituation } from "../../../mcp-tools/tools/get-situation.ts";
import { readingCode, testConfig } from "../../core/assessment/config.ts";
import { openAnsweringSystem } from "./answering-system.ts";
import { elementsIn, forgedIn, type Hostile, KINDS, markupIn, unfencedIn } from "./hostile.ts";
import { PLACES, planted, plantedExecutor } from "./planted.ts";

const never = new AbortController().signal;
const SERVICE = "stock";
const VERSION = "v2.0.0";

/** Where a hostile text stands: in each prose that others write, or in the names of a service and an image. */
type World = "prose" | "names";

/** Every string that is one of `names`, at any depth, by another. */
function renamed<T>(value: T, names: ReadonlyMap<string, string>): T {
  return walk(value) as T;
  function walk(one: unknown): unknown {
    if (typeof one === "string") return names.get(one) ?? one;
    if (Array.isArray(one)) return one.map(walk);
    if (one === null || typeof one !== "object") return one;
    return Object.fromEntries(Object.entries(one).map(([key, field]) => [names.get(key) ?? key, walk(field)]));
  }
}

/** The same sources and executor, which call some things otherwise. */
function calling(names: ReadonlyMap<string, string>) {
  const back = new Map([...names].map(([plain, other]) => [other, plain]));
  return {
    sources: (raw: Sources): Sources => ({
      ...raw,
      metrics: raw.metrics.map((one) => ({
        ...one,
        range: async (query, abort) => renamed(await one.range(query, abort), names),
      })),
      changes: raw.changes.map((one) => ({
        ...one,
        changes: async (window, abort) => renamed(await one.changes(window, abort), names),
      })),
      commits: [
        {
          name: "forge",
          commits: async () => renamed([{ sha: "0f1e2d3", message: "Fix", author: SERVICE, files: [SERVICE] }], names),
        },
      ],
      topology: raw.topology.map((one) => ({
        ...one,
        topology: async (abort) => renamed(await one.topology(abort), names),
      })),
      rollouts: raw.rollouts.map((one) => ({
        ...one,
        rollouts: async (abort) => renamed(await one.rollouts(abort), names),
      })),
      logs: raw.logs.map((one) => ({
        ...one,
        search: async (query, abort) => renamed(await one.search(query, abort), names),
      })),
    }),
    executor: (raw: Executor): Executor => ({
      ...raw,
      inspect: async (target, abort) => renamed(await raw.inspect(renamed(target, back), abort), names),
      dryRun: async (target, abort) => renamed(await raw.dryRun(renamed(target, back), abort), names),
      execute: async (target, key, abort) => renamed(await raw.execute(renamed(target, back), key, abort), names),
      reconcile: async (target, key, abort) => renamed(await raw.reconcile(renamed(target, back), key, abort), names),
    }),
  };
}

interface Out {
  readonly models: Readonly<Record<string, unknown>>;
  readonly terminals: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
  readonly markdown: string;
  readonly html: string;
}

/** Everything that comes out of one incident in which others wrote `kind` wherever they can. */
async function everything(kind: Hostile, where: World): Promise<Out> {
  // A reason that repeats what a peer said quotes it, as `core/errors.ts` asks.
  const at = (place: string) => {
    const text = kind.text(`zQ${PLACES.indexOf(place)}vK`);
    return place === "error of a source" ? quote(text) : text;
  };
  const names = new Map([
    [SERVICE, kind.text("zQservicevK")],
    [VERSION, kind.text("zQimagevK")],
    [`${SERVICE}-1`, kind.text("zQchangevK")],
  ]);
  const odd = calling(names);
  const between =
    where === "prose"
      ? { sources: (raw: Sources) => planted(raw, SERVICE, at), executor: (raw: Executor) => plantedExecutor(raw, at) }
      : odd;
  await using system = await openAnsweringSystem({
    deploys: [{ service: SERVICE, fromS: 20, errors: 0.4 }],
    between,
    config: { policies: testConfig().policies.map((one) => ({ ...one, notification: ["slack:#incidents"] })) },
  });
  const situation = async () => {
    const parts = { ...system, version: "test", store: null };
    const evidence = () => createAssessor(system).gather(system.clock.now(), never);
    return getSituation.run({}, toolContext(parts, evidence, "mcp"), never);
  };
  const models: Record<string, unknown> = { "get_situation before": await situation() };
  await system.until(60);
  const held = (await system.incidents())[0];
  models["get_situation held"] = await situation();
  const heldShown = await onTerminals(system, held?.id);
  await system.until(150);
  const { config, clock, ledger, gate } = system;
  const [incident] = await system.incidents();
  if (incident === undefined) throw new Error(`no incident was opened: ${system.told()}`);

  const parts = {
    version: "test",
    config: readingCode(config),
    clock,
    sources: system.sources,
    ledger,
    store: null,
    gate,
  };
  const caseFile = await createAssessor({ sources: system.sources, config }).gather(clock.now(), never);
  const here = {
    ...toolContext(parts, async () => caseFile, "mcp"),
    draft: (one: typeof incident) => draftPostmortem(one, { config, ledger, store: null, format: "md" }),
    incidents: {
      recall: async () => [
        {
          incidentId: kind.text("zQpastvK"),
          at: 0,
          summary: kind.text("zQsummaryvK"),
          outcome: "recovered" as const,
          score: 1,
          services: [],
        },
      ],
    } as never,
  };
  const change = where === "prose" ? `${SERVICE}-1` : (names.get(`${SERVICE}-1`) ?? "");
  const given: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
    query_metric: [{ metric: "error_rate" }, { metric: kind.text("zQmetricvK") }],
    get_rollout: [
      { service: where === "prose" ? SERVICE : (names.get(SERVICE) ?? "") },
      { service: kind.text("zQaskedvK") },
    ],
    get_commits: [{ change_id: change }, { incident: incident.id, change_id: change }],
    get_incident: [{ incident: incident.id }, { incident: kind.text("zQidvK") }],
    propose_plan: [
      { change_ids: [change], reason: "Requests of stock fail since this deploy." },
      { incident: incident.id, change_ids: [change], reason: "Requests of stock fail since this deploy." },
      { change_ids: [kind.text("zQidvK")], reason: "Requests of stock fail since this deploy." },
    ],
    submit_plan: [{ plan_id: incident.plan?.id ?? "" }, { plan_id: kind.text("zQidvK") }],
    search_incidents: [{}, { open_only: true }, { text: "stock fails" }],
    draft_postmortem: [{ incident: incident.id }],
    explain_decision: [{}, { incident: incident.id }],
    search_logs: [{ levels: ["error"] }],
    list_changes: [{}, { incident: incident.id }],
    rank_candidates: [{}, { incident: incident.id }],
    get_findings: [{ all: true }, { incident: incident.id }],
  };
  const client = await linkTools(createServer(here).connect);
  try {
    for (const { name } of TOOLS) {
      for (const [index, args] of (given[name] ?? [{}]).entries()) {
        if (args.plan_id === "") continue;
        models[`${name} ${index}`] = await client.call(name, args);
      }
    }
  } finally {
    await client.close();
  }
  const { resources } = await listResources(here, undefined);
  models["list of resources"] = resources.map(({ title, name }) => ({ title, name }));
  for (const { uri } of resources) {
    const read = await readResource(uri, here, never);
    // A draft is Markdown: what is quoted in it is told by its marks, and checked as such below.
    if (!uri.startsWith("unship://postmortems/")) models[uri] = read?.text;
  }
  models["prompt investigate"] = promptText("investigate", {
    service: kind.text("zQaskedvK"),
    incident: kind.text("zQidvK"),
  });
  models["prompt postmortem"] = promptText("postmortem", { incident: kind.text("zQidvK") });
  models["prompt weekly_review"] = promptText("weekly_review", { service: kind.text("zQaskedvK") });
  models.completion = (await completions("service", "", here)).values;

  const shown: string[] = [];
  const to = composition(system, (text) => shown.push(text));
  await investigate(to, {}, () => null, never);
  const terminals: Record<string, string> = {
    ...heldShown,
    ...prefixed("at the end, ", await onTerminals(system, incident.id)),
  };
  terminals.investigate = shown.join("");
  const notices = system.notices.flatMap((notice) => {
    const { text, blocks } = messageOf(notice, "#c", true);
    const said = (block: (typeof blocks)[number]) => ("text" in block ? [block.text.text] : []);
    return [text, ...blocks.flatMap(said)];
  });
  const entries = await ledger.entries({ incidentId: incident.id });
  const recalled = [
    {
      incidentId: kind.text("zQpastvK"),
      at: 0,
      summary: kind.text("zQsummaryvK"),
      outcome: "recovered" as const,
      score: 1,
    },
  ];
  return {
    models,
    terminals,
    notices,
    markdown: postmortem(incident, entries, recalled as never),
    html: await draftPostmortem(incident, { config, ledger, store: null, format: "html" }),
  };
}

type System = Awaited<ReturnType<typeof openAnsweringSystem>>;

const prefixed = (prefix: string, all: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [`${prefix}${key}`, value]));

/** Just so much of a process as the commands need that only show. */
function composition(system: System, out: (text: string) => void): Composition {
  const { config, clock, ledger, sources } = system;
  const shown = {
    version: "test",
    config: async () => ({ config, file: "unship.yaml" }),
    ledger: async () => ({ ...ledger, close: async () => {} }),
    now: clock.now,
    atWork: async () => ({ ledger: "ledger.db", isThere: true, processes: [], gate: null }),
    hasEnded: async () => false,
    explain: async () => ["It may act."],
    investigate: async () => {
      const [incident] = await system.incidents();
      const caseFile = await createAssessor({ sources, config }).gather(clock.now(), never);
      return { incident, caseFile, steps: [incident?.findings.map(({ because }) => because).join("; ")] };
    },
    watch: async (_: unknown, print: (event: unknown) => void) => ({
      run: async () => system.events.forEach(print),
      close: async () => {},
    }),
    terminal: { out, err: out, isTty: false, columns: 80, askSecret: null },
  };
  return shown as never;
}

/** What commands show of it now. */
async function onTerminals(system: System, incidentId: string | undefined): Promise<Readonly<Record<string, string>>> {
  const shown = async (run: (to: Composition) => unknown) => {
    const lines: string[] = [];
    await run(composition(system, (text) => lines.push(text)));
    return lines.join("");
  };
  const incident = incidentId === undefined ? null : await system.ledger.incident(incidentId);
  const plan = incident?.plan ?? null;
  return {
    status: await shown((to) => status(to, {})),
    watch: await shown((to) => watchCommand(to, {}, never)),
    ...(plan === null
      ? {}
      : { approve: await shown((to) => say(to, planText(plan, system.config, incident?.gate?.review))) }),
  };
}

const cases = KINDS.flatMap((kind) => (["prose", "names"] as const).map((where) => [kind.name, where, kind] as const));

describe.each(cases)("S11: %s, in all %s that others write", (_, where, kind) => {
  let all: Out;
  beforeAll(async () => {
    all = await everything(kind, where);
  }, 60_000);

  it("reaches a model in fences alone", () => {
    const { models } = all;
    const found = Object.entries(models).flatMap(([name, answer]) =>
      unfencedIn(parsed(answer)).map((text) => `${name}: ${text}`),
    );
    expect(found).toEqual([]);
  });

  it("is no line of its own on a terminal, in a notice or in an answer that is words, and steers none of them", () => {
    const { terminals, notices, models } = all;
    const words = Object.entries(models).flatMap(([name, answer]) =>
      name.startsWith("get_situation") ? forgedIn((answer as { readonly text: string }).text) : [],
    );
    expect(words).toEqual([]);
    const found = Object.entries(terminals).flatMap(([name, text]) => forgedIn(text).map((line) => `${name}: ${line}`));
    expect([...found, ...notices.flatMap(forgedIn)]).toEqual([]);
  });

  it("is no markup of a postmortem", () => {
    const { markdown, html } = all;
    expect([...markupIn(markdown), ...elementsIn(html)]).toEqual([]);
  }, 60_000);
});

/** JSON in an answer's text is what a model reads: a line break in it is written as an escape there. */
function parsed(answer: unknown): unknown {
  if (typeof answer !== "string") return answer;
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
