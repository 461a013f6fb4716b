import { existsSync } from "node:fs";
import type { Config, SecretRef } from "../../core/config/config.ts";
import { coverageWords } from "../../core/correlation/graph-coverage.ts";
import { UnshipError } from "../../core/errors.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Clock, IncidentStore, Ledger, Sources } from "../../core/ports.ts";
import type { Channel } from "../../mcp-tools/channel/client.ts";
import type {
  Asks,
  CheckLine,
  Composition,
  ConfigChoice,
  Investigation,
  RunningWatch,
  Terminal,
} from "../cli/composition.ts";
import { plain } from "../cli/output.ts";
import type { Emit } from "../watch/events.ts";
import { recordEvaluations } from "../watch/last-evaluations.ts";
import { type Evaluated, runLoop } from "../watch/loop.ts";
import type { Channels } from "./notifier.ts";
import type { Past } from "./past.ts";
import { readSecretFile } from "./secret-file.ts";
import type { Environment } from "./secrets.ts";

export interface CommandParts {
  readonly version: string;
  readonly environment: Environment;
  readonly start: Composition["start"];
  readonly terminal: Terminal;
  /** A recorded incident in place of the live sources; the reader of bundles is passed in. */
  readonly openBundle: (
    directory: string,
    at: number | undefined,
    config: string | undefined,
    warn: (warning: string) => void,
  ) => Promise<{ readonly sources: Sources; readonly clock: Clock; readonly config: Config }>;
}

/** Why a watch or a gate ends by itself: another may hold the ledger from then on, and two would fight. */
const LOCK_LOST = { use: "held", reason: "the connection that kept other watches away is gone; start this one again" };

const systemClock: Clock = { now: () => Date.now() };

/** What commands are made of. Each part is imported when it is first needed, so that a short command stays short. */
export function composeCommands({ version, environment, start, terminal, openBundle }: CommandParts): Composition {
  const configOf = async ({ config: file = "unship.yaml", mode }: ConfigChoice, asks: Asks) => {
    if (asks === "pause") return { ...(await import("./pause-config.ts")).configToPause(file, environment), file };
    const { readConfig } = await import("./config-file.ts");
    const secrets = asks === "no-sources" || asks === "nothing" ? "unused" : "needed";
    const process = asks === "gate" ? "gate" : "agent";
    return { config: readConfig(file, environment, { mode, secrets, process, replay: asks === "nothing" }), file };
  };
  const recordOf = async (config: Config) => (await import("./record.ts")).openRecord(config, environment);
  const announce = async (config: Config, work: "watch" | "gate" | "mcp") =>
    (await import("./record.ts")).announceWork(config, environment, work);
  /** The way to the gate's own process; null where this one is both. `token`: what the agent shows it. */
  const channelTo = async (config: Config, token: "agent" | "person"): Promise<Channel | null> => {
    if (config.gate === undefined) return null;
    const { openChannel } = await import("../../mcp-tools/channel/client.ts");
    const { channelText } = await import("../../core/config/channel-config.ts");
    const shown =
      token === "agent" ? await secretOf(config.gate.token) : await secretOf(config.gate.token).catch(() => null);
    return openChannel({ at: config.gate.at, where: channelText(config.gate), token: shown });
  };
  const ledgerOf = async (config: Config, none: "refused" | "empty" = "refused"): Promise<Ledger> =>
    (await channelTo(config, "person"))?.ledger ?? (await import("./record.ts")).readRecord(config, environment, none);
  /** What came of earlier incidents. A command that only looks makes no ledger, and does without one that is away. */
  const pastIn = async (config: Config): Promise<{ readonly past?: Past }> => {
    if (config.gate === undefined && config.ledger.type === "sqlite" && !existsSync(config.ledger.path)) return {};
    const { pastOf } = await import("./past.ts");
    try {
      const ledger = await ledgerOf(config);
      return { past: await pastOf(ledger).finally(ledger.close) };
    } catch (error) {
      if (!(error instanceof UnshipError)) throw error;
      note(`The outcome of earlier incidents is not known: ${error.message}`);
      return {};
    }
  };
  const atWork = async (config: Config) =>
    (await import("./record.ts")).whoIsAtWork(config, environment, async () => {
      const channel = await channelTo(config, "person");
      // Who does not show the agent's token is not told everywhere: then what it obeys is unknown.
      return await (channel?.hello() ?? Promise.resolve(null)).catch(() => null).finally(() => channel?.close());
    });
  const secretOf = async (reference: SecretRef) => (await import("./secrets.ts")).secret(reference, environment);
  /** Read before anything is opened: a command that tells people must be able to sign what it tells them (S8). */
  const signerOf = async (config: Config) =>
    config.ledger.signingKey === null ? null : (await import("./audit.ts")).headSigner(config, systemClock.now);
  const channelsOf = async (config: Config, ledger: Ledger): Promise<Channels> => {
    const channels = await (await import("./notifier.ts")).openChannels(config, environment);
    const sign = await signerOf(config);
    if (sign === null) return channels;
    const { withSignedHead } = await import("./signed-notices.ts");
    return { ...channels, notifier: withSignedHead(channels.notifier, ledger.head, sign) };
  };
  /** The record of the one process that does both, and through what it tells people. */
  const ownRecord = async (config: Config) => {
    const ledger = await recordOf(config);
    const { notifier, slack, close } = await channelsOf(config, ledger);
    return { ledger, notifier, slack, close: () => close().finally(ledger.close) };
  };
  const lockOf = async (config: Config) => (await import("./record.ts")).lockRecord(config, environment);
  const storeOf = async (config: Config): Promise<IncidentStore | null> =>
    (await import("../../knowledge/store.ts")).configuredStore(config);
  const notes = new Set<string>();
  /** Said once, on standard error: a source repeats itself at each question. */
  const note = (text: string) => {
    if (!notes.has(text)) terminal.err(`${plain(text)}\n`);
    notes.add(text);
  };
  const systemOf = async (config: Config, act: boolean, lenient = false) => {
    const { openLiveSystem } = await import("./live-system.ts");
    return openLiveSystem({ config, clock: systemClock, environment, act, lenient, note });
  };

  const files = async () => (await import("./written-files.ts")).writtenFiles(environment);
  const openModel: Composition["model"] = async (model) => {
    const { secret } = await import("./secrets.ts");
    const { configuredModel } = await import("../models/configured.ts");
    const key = model.apiKey === null ? null : secret(model.apiKey, environment);
    return () => configuredModel(model, key);
  };

  /** The configured model, made anew for each run of the chain; its key is read at once, so that a lost one is said at the start. */
  const modelOf = async ({ model }: Config) => {
    return model === null ? {} : { model: await openModel(model) };
  };

  /** Who answers where the gate should, and whether it means the same. */
  const gateLines = async (config: Config): Promise<readonly CheckLine[]> => {
    const channel = await channelTo(config, "agent");
    if (channel === null) return [];
    try {
      const { gateLine } = await import("./read-only.ts");
      return [gateLine(await channel.hello(), config)];
    } catch (error) {
      if (!(error instanceof UnshipError)) throw error;
      return [{ ok: false, text: `gate: ${error.message}` }];
    } finally {
      await channel.close();
    }
  };

  return {
    version,
    terminal,
    now: systemClock.now,
    config: configOf,
    start,
    variables: async (file) => (await import("./config-file.ts")).variablesOf(file),
    diagnose: async (why, abort) => (await import("./diagnose.ts")).serveDiagnostic(version, why, abort),
    explain: async (config) => (await import("../../core/config/explain.ts")).explain(config),
    sources: async (config) => {
      const { sources, gaps, close } = await systemOf(config, false);
      return { sources, gaps, close };
    },
    checkQueries: async (config, file) => (await import("./check-sources.ts")).queryProblems(config, file),
    checkSources: async (config, file, abort) => {
      if (config.gate === undefined) await signerOf(config);
      const system = await systemOf(config, false, true);
      try {
        const { ledgerLines, modelLine, sourceLines } = await import("./check-sources.ts");
        const { withinReach } = await import("./read-only.ts");
        const { whyNotSeparate } = await import("./separate.ts");
        const shared = whyNotSeparate(config, environment).map((text) => ({ ok: false, tooMuch: true, text }) as const);
        const ledger = config.gate === undefined ? await ledgerLines(config, ledgerOf) : await gateLines(config);
        const { coverageOf } = await import("./graph-lines.ts");
        const callGraph = await coverageOf(system.sources, config, abort);
        const graph = { ok: true, text: coverageWords(callGraph).join("; "), callGraph };
        const model =
          config.model === null ? [] : [await modelLine(config.model, await openModel(config.model), abort)];
        return [
          ...(await sourceLines(config, file, system, abort)),
          graph,
          ...ledger,
          ...model,
          ...withinReach(config, environment),
          ...shared,
        ];
      } finally {
        await system.close();
      }
    },
    ledger: ledgerOf,
    atWork,
    signEnd: async (config) => (await import("./record.ts")).signRecordEnd(config, environment),
    approverKey: async (token) => (await import("../../mcp-tools/gate/approver-key.ts")).approverKey(token).text,
    audit: async () => (await import("./audit.ts")).auditDesk(systemClock.now),
    hasEnded: async (owner) => (await import("../../mcp-tools/gate/owner.ts")).processOwner().gone(owner),
    desk: async (config, none = "refused") => {
      const channel = await channelTo(config, "person");
      if (channel !== null) return { gate: channel.gate, ledger: channel.ledger };
      const { openRecord, readRecord } = await import("./record.ts");
      const ledger = await (none === "made" ? openRecord : readRecord)(config, environment);
      const gate = (await import("./desk-gate.ts")).deskGate(config, ledger, systemClock);
      return { gate, ledger };
    },
    gate: async (config, abort) => {
      const { runGateProcess } = await import("./gate-process.ts");
      const { identityChecks } = await import("./identity.ts");
      const { mustBeSeparate } = await import("./separate.ts");
      mustBeSeparate(config, environment);
      await signerOf(config);
      const own = new AsyncDisposableStack();
      try {
        // A watch by itself on this ledger, or a second gate with a watch of its own, would take its incidents for theirs.
        const lock = await lockOf(config);
        own.defer(lock.release);
        const system = await systemOf(config, true);
        own.defer(system.close);
        const ledger = await recordOf(config);
        own.defer(ledger.close);
        own.defer(await announce(config, "gate"));
        const channels = await channelsOf(config, ledger);
        own.defer(channels.close);
        const identity = await identityChecks(config, environment);
        const token = config.gate === undefined ? "" : await secretOf(config.gate.token);
        const parts = { version, config, clock: systemClock, system, ledger, channels, identity, token, note };
        await runGateProcess(parts, AbortSignal.any([abort, lock.lost]));
        if (lock.lost.aborted && !abort.aborted) throw new UnshipError("ledger.unavailable", LOCK_LOST);
      } finally {
        await own.disposeAsync();
      }
    },
    watch: (config, emit, evaluated) => openWatch(config, emit, evaluated),
    mcp: async (config, { readOnly, http }, abort) => {
      const { serveMcp } = await import("./serve-mcp.ts");
      const at =
        http === undefined ? {} : { http: (await import("../../mcp-tools/http-listen.ts")).parseAddress(http) };
      const channel = await channelTo(config, "agent");
      const system = await systemOf(config, !readOnly && channel === null);
      const behind = channel ?? (await ownRecord(config));
      const acts = !readOnly && channel === null;
      const withdraw = acts ? await announce(config, "mcp") : async () => undefined;
      try {
        const { modesAtWork, watchingOf } = await import("../cli/at-work-text.ts");
        const who = {
          atWork: async () => modesAtWork(await atWork(config)),
          watching: async () => watchingOf(await atWork(config)),
        };
        const common = { version, config, clock: systemClock, system, readOnly, note, ...who, ...at };
        await serveMcp({ ...common, ...behind, store: await storeOf(config) }, abort);
      } finally {
        await withdraw();
        await system.close();
        await behind.close();
      }
    },
    investigate: async (choice, ask, abort): Promise<Investigation> => {
      const { investigateOnce } = await import("./investigate.ts");
      if (ask.bundle !== undefined) {
        const bundle = await openBundle(ask.bundle, ask.at, choice.config, (warning) => {
          terminal.err(`${plain(warning)}\n`);
        });
        const model = await modelOf(bundle.config);
        return investigateOnce({ version, ask, ...bundle, ...model, observe: async () => undefined }, abort);
      }
      const { config } = await configOf(choice, "sources");
      const system = await systemOf(config, false);
      try {
        const clock: Clock = ask.at === undefined ? systemClock : { now: () => ask.at ?? Date.now() };
        return await investigateOnce(
          {
            version,
            ask,
            config,
            clock,
            sources: system.sources,
            observe: system.observe,
            gaps: system.gaps,
            ...(await pastIn(config)),
            ...(await modelOf(config)),
          },
          abort,
        );
      } finally {
        await system.close();
      }
    },
    model: openModel,
    postmortem: async (config, incident, format) => {
      const { draftPostmortem } = await import("./postmortems.ts");
      const ledger = await ledgerOf(config);
      const store = await storeOf(config);
      try {
        return await draftPostmortem(incident, { config, ledger, store, format });
      } finally {
        await store?.close();
        await ledger.close();
      }
    },
    knowledge: async (config) => (await import("./knowledge-command.ts")).knowledgeOf(config, ledgerOf),
    readSecretFile,
    writeLines: async (path, lines) => (await import("./audit.ts")).writeLines(path, lines),
    survey: async () => (await import("./survey.ts")).createSurveyor({ clock: systemClock, environment }),
    loads: async (text) => (await files()).loads(text),
    isThere: async (path) => (await files()).isThere(path),
    writeNew: async (path, text, options) => (await files()).writeNew(path, text, options),
    writeFile: async (path, text) => (await files()).writeFile(path, text),
  };

  async function openWatch(config: Config, tell: Emit, evaluated?: Evaluated): Promise<RunningWatch> {
    const { composeAgent } = await import("./agent.ts");
    const { createBlindNotices, throughGate } = await import("./blind-notices.ts");
    const { writePostmortem } = await import("./postmortems.ts");
    const { createSampleFile, sampleFolder } = await import("./older-samples.ts");
    const { openApprovals } = await import("./approvals.ts");
    const { identityChecks } = await import("./identity.ts");
    const { createPatience, evaluationLimits, gateLimits } = await import("./patience.ts");
    const own = new AsyncDisposableStack();
    try {
      const channel = await channelTo(config, "agent");
      if (channel === null) await signerOf(config);
      const lock = channel === null ? await lockOf(config) : await channel.holdWatch();
      own.defer(lock.release);
      const behind = channel ?? (await ownRecord(config));
      own.defer(behind.close);
      if (channel === null) own.defer(await announce(config, "watch"));
      const store = await storeOf(config);
      own.defer(async () => store?.close());
      const system = await systemOf(config, channel === null);
      own.defer(system.close);
      const identity = channel === null ? await identityChecks(config, environment) : {};
      const { sources, executors, observe, gaps } = system;
      const { ledger, notifier } = behind;
      const { stepMs } = config.watch;
      const record = recordEvaluations(tell, { save: (last) => ledger.saveEvaluation(last), stepMs });
      const { emit } = record;
      const samples = createSampleFile(sampleFolder(config));
      own.defer(async () => samples.close());
      const { watch, gate } = composeAgent({
        ...("gate" in behind
          ? behind
          : {
              ledger: behind.ledger,
              executors,
              identity,
              notifiesActs: true,
              gatePatience: createPatience(gateLimits(config.watch.stepMs)),
            }),
        version,
        config,
        clock: systemClock,
        sources,
        observe,
        gaps: () => [...gaps(), ...samples.gaps()],
        openShelf: samples.openShelf,
        store,
        notifier,
        emit,
        chainPatienceMs: config.watch.stepMs / 2,
        workPatienceMs: config.watch.stepMs / 2,
        patience: createPatience(evaluationLimits(config.watch.stepMs)),
        ...(await modelOf(config)),
        postmortem: config.feedback.postmortemDraft
          ? (incident, caseFile: CaseFile | null) => writePostmortem(incident, caseFile, { config, ledger, store })
          : null,
      });
      if ("slack" in behind) {
        const { slack } = behind;
        const at = () => ({ isGateApart: false, isWatched: true });
        const listener = await openApprovals({ config, gate, ledger, clock: systemClock, identity, slack, note, at });
        own.defer(async () => listener?.close());
      }
      const blind = createBlindNotices(
        config,
        (text) => terminal.err(`${plain(text)}\n`),
        async () => (await import("./notifier.ts")).openChannels(config, environment),
      );
      own.defer(blind.settled);
      const open = own.move();
      return {
        async run(abort) {
          const until = AbortSignal.any([abort, lock.lost]);
          await runLoop(channel === null ? watch : throughGate(watch, channel), {
            ...{ stepMs, clock: systemClock, emit, abort: until, blind: blind.changed },
            evaluated(at, open) {
              record.evaluated(at, open);
              evaluated?.(at, open);
            },
          });
          if (lock.lost.aborted && !abort.aborted) throw new UnshipError("ledger.unavailable", LOCK_LOST);
        },
        close: () => open.disposeAsync(),
      };
    } finally {
      await own.disposeAsync();
    }
  }
}
