import type { Config, ConfigProblem, Mode, ModelConfig } from "../../core/config/config.ts";
import type { GraphCoverage } from "../../core/correlation/graph-coverage.ts";
import type { UnshipError } from "../../core/errors.ts";
import type { CaseFile, Gap } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Gate, Ledger, LedgerEntry, LedgerHead, RecalledIncident, Sources } from "../../core/ports.ts";
import type { BudgetedModel } from "../models/budget.ts";
import type { Emit } from "../watch/events.ts";
import type { Evaluated } from "../watch/loop.ts";
import type { Surveyor } from "./survey.ts";

/** Exit codes of every command: what a script may rely on. */
export const EXIT = {
  ok: 0,
  /** The command ran, and its answer is "no": not recovered, refused, not found, a chain that does not hold. */
  no: 1,
  /** The input or the configuration is wrong; nothing was started. */
  input: 2,
  /** A source or a store that the command needs is down. */
  unavailable: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The terminal, or whatever stands in for it in a test. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  readonly columns: number;
  /** Asks, and hears one line, or null from whoever gives up; absent or null where nobody sits at a terminal. */
  readonly ask?: ((question: string) => Promise<string | null>) | null;
  /** Asks without echo; null where nobody sits at a terminal. */
  readonly askSecret: ((question: string) => Promise<string>) | null;
}

/** A watch that can be run: `run` returns when aborted. */
export interface RunningWatch {
  run(abort: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface CheckLine {
  readonly ok: boolean;
  readonly text: string;
  /** Not ok though it answers: what the agent holds can write, and only the gate may. */
  readonly tooMuch?: true;
  /** It is about what the file says, held against what the sources know. */
  readonly proof?: true;
  /** Not ok by the file's own fault: where, and what to do. */
  readonly problem?: ConfigProblem;
  /** Nothing fails by it, and somebody should know. */
  readonly caution?: true;
  /** What the call graph is made of, on the line that speaks of it. */
  readonly callGraph?: GraphCoverage;
}

export interface Investigation {
  readonly incident: Incident;
  readonly caseFile: CaseFile;
  /** The chain's steps as text for a person: what was asked, found, concluded. */
  readonly steps: readonly string[];
}

export interface ConfigChoice {
  readonly config?: string;
  readonly mode?: string;
}

/**
 * Whether a command asks the file's sources. One that does not needs none of their secrets: a pause works without.
 * `gate`: it is the process of the gate, which has secrets of its own. `nothing`: neither sources nor the ledger.
 * `pause`: no more than which ledger the file belongs to, also while the file itself cannot be used.
 */
export type Asks = "sources" | "no-sources" | "gate" | "nothing" | "pause";

/** The sources of a configuration, to read from and to close. No executor is among them. */
export interface OpenSources {
  readonly sources: Sources;
  /** What sources left out of their last answers. */
  readonly gaps: () => readonly Gap[];
  close(): Promise<void>;
}

/** A process that may execute plans, and so obeys pauses. `since`: Unix ms. */
export interface AtWork {
  readonly work: "watch" | "gate" | "mcp";
  readonly pid: number;
  readonly host: string;
  readonly since: number;
  /** Its mode, which `--mode` may have set; null: it does not say. */
  readonly mode: Mode | null;
  /** Whether `--mode` set it; null: it does not say. */
  readonly modeIsAsked: boolean | null;
  /** The version of the configuration that it obeys; null: it does not say. */
  readonly version: string | null;
}

/** Who may execute plans on a ledger at this moment. */
export interface WhoIsAtWork {
  /** How people are told which ledger it is. */
  readonly ledger: string;
  /** Whether there is one: nothing may have run yet, or it was moved or deleted. */
  readonly isThere: boolean;
  /** The longest at work first. */
  readonly processes: readonly AtWork[];
  /**
   * Where the gate answers as a process of its own, what it says that it obeys, and whether a watch is connected to it (null: it does
   * not say); null: the file names none.
   */
  readonly gate:
    | (Pick<AtWork, "mode" | "modeIsAsked" | "version"> & {
        readonly at: string;
        readonly watched: boolean | null;
        readonly since?: number | undefined;
      })
    | null;
}

/** The memory as people look at it and correct it. */
export interface KnowledgeDesk {
  list(limit: number): Promise<readonly RecalledIncident[]>;
  recall(text: string, limit: number): Promise<readonly RecalledIncident[]>;
  forget(incidentId: string): Promise<void>;
  /** Returns how many incidents it holds afterwards. */
  rebuild(): Promise<number>;
  close(): Promise<void>;
}

/** An end of the ledger that stood outside it, its signature checked. */
export interface VouchedHead extends LedgerHead {
  /** When it was signed, Unix ms. */
  readonly at: number;
  readonly keyId: string;
}

/** The approvals in a record: by whom, and what shows it; and those that nothing shows, or nothing that was checked. */
export interface RecordedApprovals {
  readonly proven: readonly { readonly by: string; readonly with: string; readonly entries: readonly number[] }[];
  readonly unproven: readonly { readonly seq: number; readonly by: string }[];
}

/** What an auditor works with. All of it throws "input.invalid" where a file or a signature is no good. */
export interface AuditDesk {
  /**
   * The signed heads in files or texts, each signature checked with the public key of that file, or else with that of
   * the configured signing key.
   */
  heads(given: readonly string[], publicKeyFile: string | undefined, config: Config | null): readonly VouchedHead[];
  /** Checks an export, against its own head too where a public key is given. */
  verifyExport(
    file: string,
    given: readonly VouchedHead[],
    publicKeyFile: string | undefined,
  ): Promise<{
    readonly ok: boolean;
    readonly entries: number;
    readonly head: string;
    readonly problems: readonly { readonly seq: number; readonly reason: string }[];
    readonly proven: readonly VouchedHead[];
    /** It carries a signed head that no public key was given for. */
    readonly unchecked: boolean;
    readonly approvals: RecordedApprovals;
  }>;
  /** What proves the approvals among these entries; what the gate vouched for is checked with that key, or the file's. */
  approvals(
    entries: readonly LedgerEntry[],
    publicKeyFile: string | undefined,
    config: Config,
  ): RecordedApprovals & { readonly problems: readonly { readonly seq: number; readonly reason: string }[] };
  /** The whole ledger, line by line, with its signed head where a key is configured. */
  lines(config: Config, ledger: Ledger): AsyncIterable<string>;
}

/** A configuration, and how its file was named. */
export interface ReadFile {
  readonly config: Config;
  readonly file: string;
  /** Of a pause: why the file itself was not used, and the services that can be read in it (null: not all can); absent: it was. */
  readonly instead?: { readonly reason: string; readonly services: readonly string[] | null };
}

/**
 * What the composition root offers to commands. Every part is made when first asked for, so that `unship --version`
 * loads nothing. All of it throws `UnshipError`.
 */
export interface Composition {
  readonly version: string;
  readonly terminal: Terminal;
  readonly now: () => number;
  /** Reads and checks the file; "config.invalid" carries the problems as its cause. */
  readonly config: (choice: ConfigChoice, asks: Asks) => Promise<ReadFile>;
  /** How this program is started: an absolute path of node, and of what it runs. */
  readonly start: { readonly command: string; readonly args: readonly string[] };
  /** The file's absolute path, and the names of the variables in it. Throws "config.unreadable". */
  readonly variables: (file: string) => Promise<{ readonly path: string; readonly variables: readonly string[] }>;
  /** Serves on standard input and output, in place of the MCP server, what is wrong with the file; null: it is right by now. */
  readonly diagnose: (why: () => Promise<UnshipError | null>, abort: AbortSignal) => Promise<void>;
  readonly explain: (config: Config) => Promise<readonly string[]>;
  readonly sources: (config: Config) => Promise<OpenSources>;
  /** Queries of the file that are no PromQL. Asks no source. */
  readonly checkQueries: (config: Config, file: string) => Promise<readonly ConfigProblem[]>;
  /** Asks each source, and holds the file (`file`: where it is) against what they know. */
  readonly checkSources: (config: Config, file: string, abort: AbortSignal) => Promise<readonly CheckLine[]>;
  /**
   * The ledger for reading, or the gate's view of it where that is a process of its own. Where there is none nothing is made: it is
   * refused as "ledger.unavailable", or an empty one that stands nowhere.
   */
  readonly ledger: (config: Config, none?: "refused" | "empty") => Promise<Ledger>;
  /** Who may execute plans on the ledger at this moment; asked once the ledger has answered. */
  readonly atWork: (config: Config) => Promise<WhoIsAtWork>;
  /** Signs the end of the record with the configured key, where all of it holds; see `OwnLedger.signEnd`. */
  readonly signEnd: (config: Config) => Promise<LedgerHead>;
  /** The public key that is derived from a personal token, as `approvers[].token_key` holds it. */
  readonly approverKey: (token: string) => Promise<string>;
  readonly audit: () => Promise<AuditDesk>;
  /** Whether a process that carried out a plan, as the ledger names it, certainly runs no more; seen from here. */
  readonly hasEnded: (owner: string) => Promise<boolean>;
  /** A gate for people's commands (approve, reject, pause, resume): it holds no executor. `none`: what is done where no ledger is. */
  readonly desk: (
    config: Config,
    none?: "refused" | "made",
  ) => Promise<{ readonly gate: Gate; readonly ledger: Ledger }>;
  /** Runs until aborted, as the file says. */
  readonly gate: (config: Config, abort: AbortSignal) => Promise<void>;
  /** `evaluated`: hears of each evaluation. */
  readonly watch: (config: Config, emit: Emit, evaluated?: Evaluated) => Promise<RunningWatch>;
  /** `http`: host:port to serve at instead of stdio. */
  readonly mcp: (
    config: Config,
    options: { readonly readOnly: boolean; readonly http?: string },
    abort: AbortSignal,
  ) => Promise<void>;
  /** Live, by the file; or on a recorded incident, by the file or else the seed's in auto mode. */
  readonly investigate: (
    choice: ConfigChoice,
    ask: { readonly service?: string; readonly metric?: string; readonly at?: number; readonly bundle?: string },
    abort: AbortSignal,
  ) => Promise<Investigation>;
  /** A model by its vendor, with the key from the vendor's usual variable; its budget is new for each run. */
  readonly model: (config: ModelConfig) => Promise<() => Promise<BudgetedModel>>;
  readonly postmortem: (config: Config, incident: Incident, format: "md" | "html") => Promise<string>;
  /** Asks live systems what is there, for `unship init`. */
  readonly survey: () => Promise<Surveyor>;
  /** Whether this text of a configuration would load; the first problems of it where it would not. Asks nobody. */
  readonly loads: (text: string) => Promise<readonly ConfigProblem[]>;
  /** Whether something is at this path. */
  readonly isThere: (path: string) => Promise<boolean>;
  /** Writes a file that is not there yet, or, with `replace`, whatever is there; throws "input.invalid" else. */
  readonly writeNew: (path: string, text: string, options: { readonly replace: boolean }) => Promise<void>;
  /** null where the configuration asks for no memory. */
  readonly knowledge: (config: Config) => Promise<KnowledgeDesk | null>;
  readonly readSecretFile: (path: string, agentFile: string | null) => Promise<string>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Writes lines as they come into a new file that only its owner can read; returns how many. */
  readonly writeLines: (path: string, lines: AsyncIterable<string>) => Promise<number>;
}
