import type { StepTools } from "./reasoner.ts";
import type { ToolCallRecord, ToolClient, ToolResult, ToolSpec } from "./tool-client.ts";

/** What one step asked and was told. */
export interface Transcript {
  readonly calls: readonly ToolCallRecord[];
  /** The structured answers of the tools that succeeded: what claims must be found in. */
  readonly results: readonly unknown[];
}

export interface RecordedTools extends StepTools {
  transcript(): Transcript;
}

/**
 * The tools of one step: only those that read and that fit it, each call recorded, an equal call answered from the
 * first, and the incident filled in so that no call strays to another one.
 */
export function stepTools(
  client: ToolClient,
  all: readonly ToolSpec[],
  fitting: readonly string[] | null,
  incidentId: string | undefined,
  abort: AbortSignal,
  mostCalls: number,
): RecordedTools {
  const specs = all.filter((spec) => spec.readOnly && (fitting === null || fitting.includes(spec.name)));
  const calls: ToolCallRecord[] = [];
  const results: unknown[] = [];
  const answered = new Map<string, ToolResult>();

  async function call(name: string, given: Readonly<Record<string, unknown>>): Promise<ToolResult> {
    const spec = specs.find((one) => one.name === name);
    const args = spec === undefined ? given : withIncident(spec, given, incidentId);
    const key = JSON.stringify([name, args]);
    const before = answered.get(key);
    const result = before ?? (await ask(spec, name, args));
    calls.push({
      tool: name,
      args: forRecord(args),
      isError: result.isError,
      bytes: result.text.length,
      cached: before !== undefined,
    });
    if (before !== undefined) return before;
    answered.set(key, result);
    if (!result.isError && result.structured !== null) results.push(result.structured);
    return result;
  }

  async function ask(spec: ToolSpec | undefined, name: string, args: Readonly<Record<string, unknown>>) {
    if (spec === undefined) {
      const known = specs.map((one) => one.name).join(", ");
      return failed(`This step has no tool of that name. It has: ${known}.`);
    }
    if (calls.length >= mostCalls) return failed("This step has used up its calls; answer with what you have.");
    return client.call(name, args, abort);
  }

  return { specs, call, transcript: () => ({ calls, results }) };
}

/** The answers that a call was given stand in the record already, once for each step: here their names are enough. */
function forRecord(args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { known } = args;
  return typeof known === "object" && known !== null ? { ...args, known: Object.keys(known) } : args;
}

function withIncident(spec: ToolSpec, args: Readonly<Record<string, unknown>>, incidentId: string | undefined) {
  const properties = spec.inputSchema.properties;
  const takes = typeof properties === "object" && properties !== null && "incident" in properties;
  return takes && incidentId !== undefined ? { ...args, incident: incidentId } : args;
}

const failed = (text: string): ToolResult => ({ structured: null, text, isError: true });
