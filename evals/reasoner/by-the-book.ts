import type { ChatRequest } from "../../agent/models/model.ts";
import type { Turn } from "../../agent/models/scripted.ts";

export type Script = (request: ChatRequest, turn: number) => Turn | Promise<Turn>;

/** Which step a request is about. */
export const stepOf = ({ messages }: ChatRequest): string =>
  /^Step: (\w+)/.exec(messages[0]?.role === "user" ? messages[0].text : "")?.[1] ?? "";

/** What the first call of the last turn was answered; null before any call. */
export const lastResult = ({ messages }: ChatRequest): string | null => {
  const last = messages.at(-1);
  return last?.role === "tools" ? (last.results[0]?.text ?? null) : null;
};

const CUT = /\n\(cut here; \d+ more characters: read_more with handle (part-\d+)\)$/;

/** The first call's result with the parts that were read on since; null before any call. */
function wholeResult({ messages }: ChatRequest): string | null {
  const parts = messages.flatMap((message) => (message.role === "tools" ? [message.results[0]?.text ?? ""] : []));
  return parts.length === 0
    ? null
    : parts.map((part, index) => (index === parts.length - 1 ? part : part.replace(CUT, ""))).join("");
}

/** Which tool holds a step's answer, and how the answer reads out of its result. */
const BOOK: Readonly<Record<string, readonly [tool: string, read: (result: Record<string, never>) => unknown]>> = {
  identify_recent_deployments: ["list_changes", ({ recent }) => recent],
  correlate_timing: [
    "rank_candidates",
    ({ candidates, no_change, root_causes: rootCauses, threshold, reached }) => ({
      ranking: { candidates, ...(no_change as unknown as object), rootCauses },
      threshold,
      reached,
    }),
  ],
  check_affected_services: ["get_findings", ({ affected }) => affected],
  check_dependency_graph: ["get_dependencies", ({ coordinated }) => coordinated],
  evaluate_business_impact: ["assess_impact", ({ impact }) => ({ impact })],
  recommend_action: ["explain_decision", ({ decision }) => ({ decision })],
};

/** The tool that holds this step's answer. */
export const toolOf = (step: string): string => BOOK[step]?.[0] ?? "get_findings";

/** The answer to this step that a result of its tool holds; null for a step that is not in the book. */
export const answerFrom = (step: string, result: string): unknown => BOOK[step]?.[1](JSON.parse(result)) ?? null;

/** Looks once, then answers what the tool says, changed by `twist`. */
export const byTheBook =
  (twist: (step: string, answer: unknown, attempt: number) => unknown = (_, answer) => answer): Script =>
  (request) => {
    const step = stepOf(request);
    const said = wholeResult(request);
    if (said === null) return { calls: [{ name: toolOf(step), args: {} }] };
    const cut = CUT.exec(said);
    if (cut !== null) return { calls: [{ name: "read_more", args: { handle: cut[1] } }] };
    const first = request.messages[0];
    const attempt = first?.role === "user" && first.text.includes("was refused") ? 2 : 1;
    const answer = twist(step, answerFrom(step, said), attempt);
    return { calls: [{ name: "answer_step", args: answer as Record<string, unknown> }] };
  };

/** Reads as the book says, and then blames another change than the tools do: a model that is fluent and wrong. */
export function blamingAnother(): Script {
  type Answer = Record<string, Record<string, unknown>>;
  interface Blamed {
    readonly changeId: string;
    readonly probability: number;
  }
  let other: Blamed | null = null;
  return byTheBook((step, answer) => {
    const given = answer as Answer;
    if (step === "correlate_timing") {
      const candidates = (given.ranking?.candidates ?? []) as readonly Blamed[];
      const swapped = candidates.toReversed().map((one, index) => ({
        ...one,
        probability: candidates[index]?.probability ?? 0,
      }));
      other = swapped[0] ?? null;
      return { ...given, ranking: { ...given.ranking, candidates: swapped } };
    }
    if (step !== "recommend_action" || other === null) return answer;
    const culprit = { changeId: other.changeId, probability: other.probability };
    return { decision: { ...given.decision, culprit, changeIds: [other.changeId], why: ["it is likely the cause"] } };
  });
}
