import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { ChannelConfig } from "../../core/config/config.ts";
import { ERRORS, type ErrorCode, UnshipError } from "../../core/errors.ts";
import { createJsonMeter, JSON_DEPTH } from "../../core/model/json-meter.ts";
import type { Gate, Ledger, Notifier, Proof } from "../../core/ports.ts";
import {
  ANSWERS,
  type CallAnswer,
  type CallInput,
  type CallName,
  Failure,
  type Hello,
  WATCH_PATH,
} from "./protocol.ts";
import { whyNotSafe } from "./socket-place.ts";

export interface ChannelOptions {
  readonly at: ChannelConfig["at"];
  /** How people are told where that is. */
  readonly where: string;
  /** The agent's token; null: a person's command, which can look, pause, and show a token of its own. */
  readonly token: string | null;
}

/** The right to be the one watch of a gate; as `WatchLock` of the composition. */
export interface HeldWatch {
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** The agent's side: the gate, the record and the notifier of another process, behind the same ports. */
export interface Channel {
  readonly gate: Gate;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  hello(): Promise<Hello>;
  /** Throws "watch.running" where another watch holds it. It outlives a restart of the gate. */
  holdWatch(): Promise<HeldWatch>;
  close(): Promise<void>;
}

/** How often a gate that is away is looked for, ms. */
const AGAIN_MS = 500;
/** All that a gate has on its way to everybody at once (`ANSWERS_UNDER_WAY` there), so that no answer of one is larger. */
const ANSWER_BYTES = 128 * 1024 * 1024;
/** One in 16 bytes; entries and incidents have one in 20 or more. */
const ANSWER_VALUES = ANSWER_BYTES / 16;
/** How long a gate may be away when a watch starts: both may have been started together. */
const START_MS = 15_000;

/**
 * Speaks to `unship gate`. Every call may throw what the gate's own function throws, and "gate.unavailable" where it is
 * away, or went away before it answered: then its ledger alone knows what it did.
 */
export function openChannel(options: ChannelOptions): Channel {
  // A connection a call: one that was kept open could be the one that a gate closed when it died.
  const agent = new Agent({ keepAlive: false });
  const unavailable = (reason: string, cause?: unknown) =>
    new UnshipError("gate.unavailable", { where: options.where, reason }, { cause });

  async function post(path: string, body: unknown): Promise<IncomingMessage> {
    const data = Buffer.from(JSON.stringify(body));
    const { at, token } = options;
    const unsafe = "socket" in at ? whyNotSafe(at.socket, null) : null;
    if (unsafe !== null) throw new UnshipError("input.invalid", { what: "gate.socket", reason: unsafe });
    const outgoing = request({
      ...("socket" in at ? { socketPath: at.socket } : { host: at.host, port: at.port }),
      agent,
      method: "POST",
      path,
      headers: {
        host: "localhost",
        "content-type": "application/json",
        "content-length": data.length,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    try {
      outgoing.end(data);
      const [response] = (await once(outgoing, "response")) as [IncomingMessage];
      return response;
    } catch (cause) {
      throw unavailable(codeOf(cause), cause);
    }
  }

  async function bodyOf(response: IncomingMessage): Promise<unknown> {
    const meter = createJsonMeter({ depth: JSON_DEPTH, values: ANSWER_VALUES });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES || meter.take(chunk) !== null) break;
        chunks.push(chunk);
      }
      if (bytes <= ANSWER_BYTES && meter.values <= ANSWER_VALUES)
        return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch (cause) {
      throw unavailable("it went away before it had answered", cause);
    }
    throw unavailable(`its answer is larger than any that a gate gives (${ANSWER_BYTES} bytes)`);
  }

  async function call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallAnswer<N>> {
    const response = await post(`/v1/${name}`, input);
    const body = await bodyOf(response);
    if (response.statusCode !== 200) throw failureOf(body, unavailable);
    const value = typeof body === "object" && body !== null && "value" in body ? body.value : undefined;
    const answer = ANSWERS[name].safeParse(value);
    if (!answer.success) throw unavailable("it answered in a way that this version does not understand");
    return answer.data as CallAnswer<N>;
  }

  const gate: Gate = {
    propose: (draft) => call("propose", { ...draft, targets: [...draft.targets] }),
    submit: (planId) => call("submit", { planId }),
    recover: () => call("recover", {}),
    identify: (proof, record) =>
      call("identify", { token: personal(proof), ...(record === undefined ? {} : { record }) }),
    approve: (planId, proof, seenHash) =>
      call("approve", { planId, token: personal(proof), ...(seenHash === undefined ? {} : { seenHash }) }),
    reject: (planId, proof, reason, seenHash) =>
      call("reject", { planId, token: personal(proof), reason, ...(seenHash === undefined ? {} : { seenHash }) }),
    pause: async (scope, by) => void (await call("pause", { scope, by })),
    resume: (scope, proof) => call("resume", { scope, token: personal(proof) }),
    acknowledge: (incidentId, proof, asked) => call("acknowledge", { incidentId, token: personal(proof), ...asked }),
  };
  const ledger: Ledger = {
    append: (draft) => call("append", draft),
    entries: (filter = {}) => {
      const { kinds, ...rest } = filter;
      return call("entries", { ...rest, ...(kinds === undefined ? {} : { kinds: [...kinds] }) });
    },
    saveIncident: async (incident) => void (await call("saveIncident", { incident })),
    incident: (id) => call("incident", { id }),
    incidents: async (filter = {}, onDamaged) => {
      const sayDamaged = onDamaged !== undefined;
      const { incidents, damaged } = await call("incidents", { ...filter, sayDamaged });
      for (const one of damaged) onDamaged?.(one);
      return incidents;
    },
    plan: (id) => call("plan", { id }),
    pauses: () => call("pauses", {}),
    saveEvaluation: async ({ down, ...last }) => {
      const sources = down.map(({ parts, ...one }) => ({ ...one, parts: [...parts] }));
      await call("saveEvaluation", { last: { ...last, down: sources } });
    },
    // A gate of before knows no such call: then the evaluation is not known, and all else is told as ever.
    lastEvaluation: () =>
      call("lastEvaluation", {}).catch((error: unknown) => {
        if (error instanceof UnshipError && error.code === "input.invalid") return null;
        throw error;
      }),
    head: () => call("head", {}),
    verify: (heads = []) => call("verify", { heads: heads.map(({ seq, hash }) => ({ seq, hash })) }),
    close: async () => agent.destroy(),
  };

  /** Resolves when the gate has granted it; `ended` when that is over. */
  async function ask(): Promise<{ readonly ended: Promise<void>; readonly stop: () => void }> {
    const response = await post(WATCH_PATH, {});
    if (response.statusCode !== 200) throw failureOf(await bodyOf(response), unavailable);
    const ended = new Promise<void>((resolve) => response.once("close", resolve).on("error", () => undefined));
    response.resume();
    return { ended, stop: () => response.destroy() };
  }

  async function holdWatch(): Promise<HeldWatch> {
    const lost = new AbortController();
    const released = new AbortController();
    let held = await patiently(ask);
    const keep = async () => {
      while (!released.signal.aborted) {
        await held.ended;
        if (released.signal.aborted) return;
        for (;;) {
          try {
            held = await ask();
            break;
          } catch (error) {
            if (!(error instanceof UnshipError) || error.code !== "gate.unavailable") return lost.abort();
            await delay(AGAIN_MS, undefined, { signal: released.signal }).catch(() => undefined);
            if (released.signal.aborted) return;
          }
        }
      }
    };
    void keep();
    return {
      lost: lost.signal,
      release: async () => {
        released.abort();
        held.stop();
      },
    };
  }

  return {
    gate,
    ledger,
    notifier: {
      notify: ({ incidentId, title, lines, severity, to, resolves }) =>
        call("notify", {
          ...{ incidentId, title, lines: [...lines], severity, to },
          ...(resolves === undefined ? {} : { resolves: [...resolves] }),
        }),
    },
    hello: () => call("hello", {}),
    holdWatch,
    close: ledger.close,
  };
}

/** Only what a person typed crosses the channel: bearer tokens and presses arrive at the gate's own listener. */
function personal(proof: Proof): string {
  if (typeof proof === "string") return proof;
  throw new UnshipError("approval.refused", {
    what: "answer",
    reason: "the gate's own process takes this proof itself",
  });
}

function failureOf(body: unknown, unavailable: (reason: string) => UnshipError): UnshipError {
  const failure = Failure.safeParse(body);
  if (!failure.success) return unavailable("it answered in a way that this version does not understand");
  const { code, facts } = failure.data.error;
  return isCode(code)
    ? new UnshipError(code, facts)
    : unavailable("it failed in a way that this version does not know");
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** Why nothing answered, of what the system says. */
function codeOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  if (code === "ENOENT" || code === "ECONNREFUSED") return "nothing answers there: start unship gate";
  if (code === "EACCES") return "this user may not open it";
  return "the connection broke";
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + START_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const away = error instanceof UnshipError && error.code === "gate.unavailable";
      if (!away || performance.now() >= until) throw error;
      await delay(AGAIN_MS);
    }
  }
}
