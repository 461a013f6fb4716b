import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { ChannelConfig } from "../../core/config/config.ts";
import { type ErrorCode, UnshipError } from "../../core/errors.ts";
import { ALL_SERVICES, pausesAll } from "../../core/guardrails/gate-store.ts";
import { pauseScope } from "../../core/guardrails/pause-scope.ts";
import { JSON_DEPTH, jsonWithin } from "../../core/model/json-meter.ts";
import { textWithout, withoutSecrets } from "../../core/model/secrets/deep.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { DamagedIncident, Gate, Ledger, Notifier, Proof } from "../../core/ports.ts";
import { createRateLimit, foreignCaller, saidTwice, tokenOf } from "../http-guard.ts";
import { limitConnections, listenAt, readBody } from "../http-listen.ts";
import { storedDraft, storedIncident, whyForged, whyNotOver, whyNotWritten } from "./claims.ts";
import { createOutbox, createRoom } from "./outbox.ts";
import {
  CALLS,
  type CallAnswer,
  type CallInput,
  type CallName,
  type Hello,
  REQUEST_BYTES,
  SMALL_REQUEST_BYTES,
  WATCH_PATH,
} from "./protocol.ts";
import { whyNotSafe } from "./socket-place.ts";

type Facts = Readonly<Record<string, string | number>>;

export interface ChannelServerParts {
  readonly at: ChannelConfig["at"];
  /** What the agent shows; whoever shows it is the agent, and no more than that. */
  readonly token: string;
  readonly gate: Gate;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  /** What the gate's file names: the services that can be paused. */
  readonly known: { readonly services: readonly string[] };
  readonly hello: Omit<Hello, "watched">;
  /** Hears of failures that are ours, and of who was refused. */
  readonly note: (text: string) => void;
}

export interface ChannelServer {
  /** The address on the loopback, or the socket's path. */
  readonly where: string;
  /** Whether a watch is connected. */
  watched(): boolean;
  close(): Promise<void>;
}

/** How long the head of a request, and the whole of it, may take, ms. */
const PATIENCE = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
const CONNECTIONS = 256;
/** Bodies of the agent that are being read and worked on at once, together, bytes: four of the largest. */
const RECEIVING_BYTES = 4 * REQUEST_BYTES;
/** Answers that are on their way at once, together, bytes, and how long each may take, ms. */
const ANSWERS_UNDER_WAY = { mostBytes: 128 * 1024 * 1024, patienceMs: 10_000 };
/** Parts of the record that are read out of the ledger at once. */
const READING = 4;
const READS: readonly CallName[] = ["entries", "incident", "incidents", "plan", "verify"];
/** So much of why somebody was refused is written down. */
const REASON_CHARS = 400;
/** Refused callers that are written down one by one in a minute. */
const REFUSALS_PER_MINUTE = 20;
/**
 * Plans that the agent may propose a minute. A watch proposes one an incident and again when its targets change; more is no
 * incident, and would tire the people who are asked.
 */
const PLANS_PER_MINUTE = 30;
/**
 * Notices that the agent may have sent a minute. Twenty incidents that begin at once, with three recipients each, are
 * half of that; a pager takes about as many (PagerDuty, Events API v2: 120 a minute of one integration).
 */
const NOTICES_PER_MINUTE = 120;
/** New incidents a minute: a watch opens one for each part of the system that is hurt by itself. */
const INCIDENTS_PER_MINUTE = 120;
/** A watch goes on with so many open incidents at most; each look of the gate reads them all. */
const OPEN_INCIDENTS = 1000;
/** Times a minute that a plan is judged: each reads the evidence and asks each target anew. */
const SUBMITS_PER_MINUTE = 600;
/** Pauses by name that are taken a minute; everything can always be paused. */
const PAUSES_PER_MINUTE = 60;
/** What is under way when the gate is told to stop gets so long to end, ms; what is cut off is taken up after the restart. */
const CLOSE_MS = 10_000;
/** A held watch is sent a byte so often, ms, so that an end that is gone is noticed. */
const PULSE_MS = 15_000;
const OWNER_AND_GROUP = 0o660;

/**
 * The gate's side of the channel. Everything that comes is checked as if a stranger had sent it: the shape first, who may,
 * then whether it claims what the gate itself knows better. Throws "input.invalid" where it cannot answer there.
 */
export async function serveChannel(parts: ChannelServerParts): Promise<ChannelServer> {
  const { ledger, note } = parts;
  const calls = answers(parts, () => watching !== null);
  const known = [
    { name: "agent", tokenSha256: createHash("sha256").update(parts.token).digest("hex"), readOnly: false },
  ];
  const onSocket = "socket" in parts.at;
  const refusals = createRateLimit(REFUSALS_PER_MINUTE, () => performance.now());
  let watching: ServerResponse | null = null;
  let receiving = 0;
  const outbox = createOutbox(ANSWERS_UNDER_WAY);
  const reading = createRoom(READING);

  function fail(response: ServerResponse, status: number, code: ErrorCode, facts: Facts): void {
    outbox.send(response, status, { error: { code, facts } });
  }

  async function refuse(call: string, why: string): Promise<void> {
    if (refusals.take("all") > 0) return;
    // It may quote what the agent wrote.
    const reason = cleanText(why, REASON_CHARS).replaceAll(/\s+/g, " ");
    note(`refused ${call}: ${reason}`);
    await ledger.append({
      kind: CHANNEL_REFUSED,
      incidentId: null,
      planId: null,
      actor: "gate",
      body: { call, reason },
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const foreign = saidTwice(request.rawHeaders) ?? foreignCaller(request.headers, { hosts: [], origins: [] });
    if (foreign !== null)
      return fail(response, foreign.status, "input.invalid", { what: "call", reason: foreign.because });
    const name = /^\/v1\/(\w+)$/.exec(request.url ?? "")?.[1] ?? "";
    const isWatch = request.url === WATCH_PATH;
    if (request.method !== "POST" || !(isWatch || isCall(name))) {
      return fail(response, 404, "input.invalid", { what: "call", reason: "there is no such call" });
    }
    const agent = tokenOf(request.headers.authorization, known) !== null;
    const open = onSocket && isCall(name) && CALLS[name].who === "anyone";
    if (!agent && !open) {
      await refuse(name, "whoever called did not show the agent's token");
      return fail(response, 401, "gate.refused", { reason: `${name} is for the agent, and needs its token` });
    }
    if (!isCall(name) || CALLS[name].who === "anyone") {
      return carried(name, SMALL_REQUEST_BYTES, request, response);
    }
    const size = Math.min(Number(request.headers["content-length"] ?? REQUEST_BYTES), REQUEST_BYTES);
    if (receiving + size > RECEIVING_BYTES) {
      return fail(response, 503, "gate.unavailable", {
        where: "this address",
        reason: "it has too much to read at once",
      });
    }
    receiving += size;
    try {
      await carried(name, REQUEST_BYTES, request, response);
    } finally {
      receiving -= size;
    }
  }

  /** A call by whom may make it: what it carries, and its answer. */
  async function carried(
    name: string,
    mostBytes: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const read = await readBody(request, "application/json", mostBytes);
    if ("because" in read) return fail(response, read.status, "input.invalid", { what: name, reason: read.because });
    if (!isCall(name)) return hold(response);
    const input = CALLS[name].input.safeParse(json(read.bytes));
    if (!input.success) {
      await refuse(name, "what it carried has no shape that the gate takes");
      const where = input.error.issues.slice(0, 3).map(({ path, message }) => `${path.join(".")}: ${message}`);
      return fail(response, 422, "input.invalid", { what: name, reason: where.join("; ") });
    }
    try {
      const ask = async () => {
        const value = await calls(name, input.data);
        outbox.send(response, 200, { value });
      };
      await (READS.includes(name) ? reading(ask) : ask());
    } catch (error) {
      if (!(error instanceof UnshipError)) throw error;
      if (error.code === "gate.refused") await refuse(name, String(error.facts.reason));
      fail(response, 422, error.code, error.facts);
    }
  }

  /** One watch at a time, for as long as it stays connected. */
  function hold(response: ServerResponse): void {
    if (watching !== null) {
      fail(response, 409, "watch.running", { ledger: "this gate" });
      return;
    }
    watching = response;
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    response.write("\n");
    const pulse = setInterval(() => response.write("\n"), PULSE_MS);
    response.once("close", () => {
      clearInterval(pulse);
      watching = null;
    });
  }

  const http = createServer(PATIENCE, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!request.destroyed) note(`channel: ${error instanceof Error ? error.message : "failed"}`);
      if (response.headersSent) response.destroy();
      else
        fail(response, 500, "gate.unavailable", { where: "this address", reason: "it failed; its own log says how" });
    });
  });
  limitConnections(http, { most: CONNECTIONS, ofOne: CONNECTIONS });
  const where = await listen(http, parts.at);
  return {
    where,
    watched: () => watching !== null,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      watching?.end();
      http.closeIdleConnections();
      const timer = setTimeout(() => http.closeAllConnections(), CLOSE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** The kind of the ledger's entries that say that somebody was refused at the channel. */
const CHANNEL_REFUSED = "channel.refused";

const isCall = (name: string): name is CallName => Object.hasOwn(CALLS, name);

/** The scope of a pause, where the gate's file knows it. Throws "input.invalid": a pause of nothing would look like one. */
function scopeIn(asked: string, services: readonly string[]): string {
  const found = pauseScope(asked, services);
  if ("scope" in found) return found.scope;
  const known = services.length === 0 ? "" : `; the gate's file has ${["all", ...services].join(", ")}`;
  throw new UnshipError("input.invalid", {
    what: "scope",
    reason: `nothing was paused: name a service, or all${known}`,
  });
}

function answers({ gate, ledger, notifier, known, hello }: ChannelServerParts, watched: () => boolean) {
  const plans = createRateLimit(PLANS_PER_MINUTE, () => performance.now());
  const notices = createRateLimit(NOTICES_PER_MINUTE, () => performance.now());
  const pauses = createRateLimit(PAUSES_PER_MINUTE, () => performance.now());
  const incidents = createRateLimit(INCIDENTS_PER_MINUTE, () => performance.now());
  const submits = createRateLimit(SUBMITS_PER_MINUTE, () => performance.now());
  const refused = (reason: string) => new UnshipError("gate.refused", { reason });
  /** Why no more incidents are taken now; null: one more is. */
  const whyNoMore = async (id: string): Promise<string | null> => {
    if ((await ledger.incident(id)) !== null) return null;
    if (incidents.take("agent") > 0) return `more than ${INCIDENTS_PER_MINUTE} began in a minute`;
    const open = (await ledger.incidents({ open: true, limit: OPEN_INCIDENTS })).length;
    return open < OPEN_INCIDENTS ? null : `${OPEN_INCIDENTS} are open`;
  };
  const shown = (token: string): Proof => ({ via: "channel", token });
  const table: { readonly [N in CallName]: (input: CallInput<N>) => Promise<CallAnswer<N>> } = {
    hello: async () => ({ ...hello, actions: [...hello.actions], watched: watched() }),
    propose: async ({ proposedBy, reason, ...draft }) => {
      const said = { proposedBy: textWithout(proposedBy), reason: textWithout(reason) };
      if (plans.take("agent") === 0) return gate.propose({ ...draft, ...said });
      throw new UnshipError("gate.refused", {
        reason: `more than ${PLANS_PER_MINUTE} plans were proposed in a minute`,
      });
    },
    submit: async ({ planId }) => {
      if (submits.take("agent") === 0) return gate.submit(planId);
      throw refused(`plans were submitted more than ${SUBMITS_PER_MINUTE} times in a minute`);
    },
    recover: async () => [...(await gate.recover())],
    approve: ({ planId, token, seenHash }) => gate.approve(planId, shown(token), seenHash),
    reject: ({ planId, token, reason, seenHash }) => gate.reject(planId, shown(token), reason, seenHash),
    identify: ({ token, record }) => gate.identify(shown(token), record),
    pause: async ({ scope: asked, by }) => {
      const scope = scopeIn(asked, known.services);
      if (pauses.take("anyone") > 0) {
        if (!pausesAll(scope)) {
          throw new UnshipError("gate.refused", {
            reason: `more than ${PAUSES_PER_MINUTE} pauses came in a minute; pause everything: unship pause`,
          });
        }
        if ((await ledger.pauses()).some((one) => one.scope === ALL_SERVICES)) return null;
      }
      await gate.pause(scope, by);
      return null;
    },
    resume: ({ scope, token }) => gate.resume(scope, shown(token)),
    acknowledge: ({ incidentId, token, ...asked }) => gate.acknowledge(incidentId, shown(token), asked),
    append: async (draft) => {
      const why = whyNotWritten(draft);
      if (why !== null) throw new UnshipError("gate.refused", { reason: why });
      return ledger.append(storedDraft(draft));
    },
    saveIncident: async ({ incident }) => {
      const why = (await whyForged(incident, ledger)) ?? (await whyNoMore(incident.id));
      if (why !== null) throw new UnshipError("gate.refused", { reason: `incident ${incident.id}: ${why}` });
      await ledger.saveIncident(storedIncident(incident));
      return null;
    },
    // A question to people is the gate's to ask: `asks` is not even in the shape of the call.
    notify: async ({ resolves: over, ...notice }) => {
      const { title, lines } = withoutSecrets({ title: notice.title, lines: notice.lines }, false);
      const why = over === undefined ? null : await whyNotOver(notice.incidentId, ledger);
      if (why !== null) throw new UnshipError("gate.refused", { reason: why });
      const resolves = over?.map(({ title: said, planId }) => ({
        title: said,
        ...(planId === undefined ? {} : { planId }),
      }));
      if (notices.take("agent") === 0)
        return notifier.notify({ ...notice, title, lines, ...(resolves === undefined ? {} : { resolves }) });
      throw new UnshipError("gate.refused", { reason: `more than ${NOTICES_PER_MINUTE} notices came in a minute` });
    },
    entries: async ({ incidentId, planId, kinds, afterSeq, limit }) => [
      ...(await ledger.entries({
        ...(incidentId === undefined ? {} : { incidentId }),
        ...(planId === undefined ? {} : { planId }),
        ...(kinds === undefined ? {} : { kinds }),
        ...(afterSeq === undefined ? {} : { afterSeq }),
        ...(limit === undefined ? {} : { limit }),
      })),
    ],
    incident: ({ id }) => ledger.incident(id),
    incidents: async ({ open, savedSince, lacking, limit, sayDamaged }) => {
      const damaged: DamagedIncident[] = [];
      const filter = {
        ...(open === undefined ? {} : { open }),
        ...(savedSince === undefined ? {} : { savedSince }),
        ...(lacking === undefined ? {} : { lacking }),
        ...(limit === undefined ? {} : { limit }),
      };
      const onDamaged = sayDamaged ? (one: DamagedIncident) => void damaged.push(one) : undefined;
      return { incidents: [...(await ledger.incidents(filter, onDamaged))], damaged };
    },
    plan: ({ id }) => ledger.plan(id),
    pauses: async () => [...(await ledger.pauses())],
    saveEvaluation: async ({ last }) => {
      await ledger.saveEvaluation(last);
      return null;
    },
    lastEvaluation: () => ledger.lastEvaluation(),
    head: () => ledger.head(),
    verify: async ({ heads }) => {
      const found = await ledger.verify(heads);
      return { ...found, problems: [...found.problems] };
    },
  };
  return <N extends CallName>(name: N, input: CallInput<N>) => table[name](input);
}

function json(bytes: Buffer): unknown {
  return jsonWithin(bytes.toString("utf8"), { depth: JSON_DEPTH, values: REQUEST_BYTES });
}

async function listen(http: Server, at: ChannelConfig["at"]): Promise<string> {
  if (!("socket" in at)) return listenAt(http, at.host, at.port, "gate.listen");
  const { socket } = at;
  const unsafe = whyNotSafe(socket, process.geteuid?.() ?? null);
  if (unsafe !== null) throw new UnshipError("input.invalid", { what: "gate.socket", reason: unsafe });
  await clear(socket);
  // Made without rights for others from its first moment on.
  const before = process.umask(0o117);
  try {
    http.listen(socket);
    await once(http, "listening");
  } catch (cause) {
    const reason = `${socket} cannot be made: its folder must exist, and be this user's`;
    throw new UnshipError("input.invalid", { what: "gate.socket", reason }, { cause });
  } finally {
    process.umask(before);
  }
  http.on("error", () => undefined);
  chmodSync(socket, OWNER_AND_GROUP);
  return socket;
}

/** Takes away the socket that a gate left which died; one that answers is another gate's, and anything else is no socket. */
async function clear(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new UnshipError("input.invalid", { what: "gate.socket", reason: `${path} is there, and is no socket` });
  }
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (answers) {
    throw new UnshipError("input.invalid", { what: "gate.socket", reason: `another gate answers at ${path}` });
  }
  unlinkSync(path);
}
