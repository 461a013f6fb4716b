import { z } from "zod";
import { Coverage } from "../../core/decision/coverage.ts";
import { type AllFenced, joined, ours, own } from "../../core/model/fenced.ts";
import type { ConditionState, Finding } from "../../core/model/finding.ts";
import type { SentenceFence } from "../../core/model/sentence-fence.ts";
import { STEP_ANSWERS } from "../../core/model/step-answers.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, known, knownAnswers, limit, more, notice, service } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { figure } from "../figures.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseUnknownService, servicesOf } from "../known-service.ts";
import { openCase } from "../open-case.ts";
import { page, RESULT_WEIGHT } from "../page.ts";

const FindingView = z.strictObject({
  service: z.string(),
  metric: z.string(),
  verdict: z.string(),
  detector: z.string(),
  labels: z.string().optional(),
  onset: z.string().nullable(),
  baseline: z.number().nullable(),
  current: z.number().nullable(),
  unit: z.string(),
  strength: z.number().describe("ln of the evidence for worse"),
  limit_at: z.string().optional(),
  because: z.string(),
});

const ConditionView = z.strictObject({
  policy: z.string(),
  text: z.string(),
  service: z.string(),
  state: z.string(),
  since: z.string().nullable(),
  fires_at: z.string().nullable(),
  because: z.string().optional(),
});

/** So many affected services come with the first answer; the rest follow the last finding. */
const SERVICES_FIRST = 200;
const VERDICTS: readonly Finding["verdict"][] = ["worse", "unknown", "inconclusive", "no-worse"];
const STATES: readonly ConditionState["state"][] = ["firing", "pending", "unknown", "inactive"];

export const getFindings = defineTool({
  name: "get_findings",
  title: "Get findings",
  effect: "read",
  reach: "held",
  description:
    "What the detectors say is wrong, since when, and how sure, worst first; the state of each policy condition; and " +
    "in `affected` which services are affected and where it starts. `unknown`: nobody could measure it, neither healthy " +
    "nor failing.",
  input: z.strictObject({
    incident,
    service,
    all: z.boolean().default(false).describe("Also no-worse findings and inactive conditions"),
    known,
    limit: limit(100, 20),
    cursor,
  }),
  output: z.strictObject({
    notice,
    at: z.string(),
    coverage: Coverage,
    affected: STEP_ANSWERS.check_affected_services,
    findings: z.array(FindingView),
    conditions: z.array(ConditionView),
    total: z.number(),
    more,
    gaps,
  }),
  async run(input, context) {
    const { file, answer, coverage, once, sentence } = await openCase(context, input.incident);
    refuseUnknownService(input.service, servicesOf(file, context.config));
    return once("get_findings", input, () => {
      const affected = answer("check_affected_services", knownAnswers(input.known));
      const here = (one: { readonly service: string }) => input.service === undefined || one.service === input.service;
      const findings = file.findings
        .filter((finding) => here(finding) && (input.all || finding.verdict !== "no-worse"))
        .toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.strength - a.strength);
      const conditions = file.conditions
        .filter((condition) => here(condition) && (input.all || condition.state !== "inactive"))
        .toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
      const { cursor: at, limit: most, ...question } = input;
      const rows = [
        ...findings.map((finding) => ({ finding: findingView(finding, sentence), service: null })),
        ...affected.services.slice(SERVICES_FIRST).map((name) => ({ finding: null, service: name })),
      ];
      const listed = page(rows, { cursor: at, limit: most, question });
      const first = at === undefined ? affected.services.slice(0, SERVICES_FIRST) : [];
      const later = listed.items.flatMap(({ service: name }) => (name === null ? [] : [name]));
      const said = new Set(listed.items.flatMap(({ finding }) => (finding === null ? [] : [finding.because])));
      const views = conditions.map((condition) => conditionView(condition, said, sentence));
      const shown = page(views, { limit: most, question, weight: RESULT_WEIGHT / 3 });
      return {
        notice: UNTRUSTED_NOTICE,
        at: rfc3339(file.at),
        coverage: coverage(input.service === undefined ? undefined : [input.service]),
        affected: { services: [...first, ...later], origin: affected.origin },
        findings: listed.items.flatMap(({ finding }) => (finding === null ? [] : [finding])),
        conditions: [...shown.items],
        total: findings.length,
        more: listed.more,
        gaps: gapViews(file.gaps, sentence),
      };
    });
  },
});

type Sentence = SentenceFence["sentence"];

function findingView(finding: Finding, sentence: Sentence): AllFenced<z.infer<typeof FindingView>> {
  const labels = Object.entries(finding.labels).map(([key, value]) => own`${name(key)}=${name(value)}`);
  return {
    service: name(finding.service),
    metric: name(finding.metric),
    verdict: name(finding.verdict),
    detector: name(finding.detector),
    ...(labels.length === 0 ? {} : { labels: joined(labels, ",") }),
    onset: rfc3339(finding.onset?.at),
    baseline: figure(finding.baseline),
    current: figure(finding.current),
    unit: name(finding.unit),
    strength: figure(finding.strength),
    ...(finding.limitAt === undefined ? {} : { limit_at: rfc3339(finding.limitAt) }),
    because: because(finding, sentence),
  };
}

/** Why is left out where a finding of the same answer says it in the same words. */
function conditionView(
  condition: ConditionState,
  said: ReadonlySet<string>,
  sentence: Sentence,
): AllFenced<z.infer<typeof ConditionView>> {
  return {
    policy: ours(cleanText(condition.policy, 200)),
    text: ours(cleanText(condition.text, 200)),
    service: name(condition.service),
    state: name(condition.state),
    since: rfc3339(condition.since),
    fires_at: rfc3339(condition.firesAt),
    ...(said.has(because(condition, sentence)) ? {} : { because: sentence(condition.because, 200) }),
  };
}

const because = (one: { readonly because: string }, sentence: Sentence) => sentence(one.because, 300);
