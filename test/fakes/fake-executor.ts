import { DatabaseSync } from "node:sqlite";
import { positionOf } from "../../core/guardrails/targets.ts";
import type { ActionType, Target, TargetResult } from "../../core/model/plan.ts";
import type { Executor, TargetState } from "../../core/ports.ts";

/** How a target misbehaves on its next `execute`. `late`: it writes, but its answer never comes. */
export type Behaviour = "silent" | "late" | "fail" | "refuse" | "unreachable";

export interface Write {
  readonly id: number;
  readonly key: string;
  readonly object: string;
  readonly version: string;
  readonly pid: number;
}

interface StateRow {
  readonly version: string;
  readonly revision: string;
}

/**
 * Objects that can be taken back, kept in a SQLite file, so that several processes see one truth. A write is atomic
 * and conditional on the version that is expected, as an API with optimistic locks does it. Every call of `execute`
 * and every write that happened stands in a table.
 */
export class FakeTargets implements Disposable {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    this.#database.exec("pragma journal_mode = wal");
    this.#database.exec(
      `create table if not exists objects (object text primary key, version text, revision text, obstacles text,
         warnings text, changed_by text, behaviour text);
       create table if not exists calls (id integer primary key, key text, pid integer);
       create table if not exists writes (id integer primary key, key text, object text, version text, pid integer)`,
    );
  }

  /** Puts the object where the target expects it, or at another version. */
  place(target: Target, at: StateRow = target.expected): void {
    this.#database
      .prepare("insert or replace into objects values (?, ?, ?, '[]', '[]', null, null)")
      .run(nameOf(target), at.version, at.revision);
  }

  mark(
    target: Target,
    marks: {
      readonly obstacles?: readonly string[];
      readonly warnings?: readonly string[];
      readonly changedBy?: string;
      readonly behaviour?: Behaviour | null;
    },
  ): void {
    const set = (column: string, value: string | null) =>
      this.#database.prepare(`update objects set ${column} = ? where object = ?`).run(value, nameOf(target));
    if (marks.obstacles !== undefined) set("obstacles", JSON.stringify(marks.obstacles));
    if (marks.warnings !== undefined) set("warnings", JSON.stringify(marks.warnings));
    if (marks.changedBy !== undefined) set("changed_by", marks.changedBy);
    if (marks.behaviour !== undefined) set("behaviour", marks.behaviour);
  }

  /** Takes the object away: nobody can say how it stands. */
  remove(target: Target): void {
    this.#database.prepare("delete from objects where object = ?").run(nameOf(target));
  }

  stateOf(target: Target): TargetState {
    const row = this.#database.prepare("select * from objects where object = ?").get(nameOf(target));
    if (row === undefined) throw new Error("no such object");
    return {
      version: String(row.version),
      revision: String(row.revision),
      obstacles: JSON.parse(String(row.obstacles)),
      warnings: JSON.parse(String(row.warnings)),
      capacity: { replicas: 3, less: [] },
      ...(row.changed_by === null ? {} : { changedBy: String(row.changed_by) }),
    };
  }

  writes(): readonly Write[] {
    return this.#database
      .prepare("select * from writes order by id")
      .all()
      .map((row) => ({
        id: Number(row.id),
        key: String(row.key),
        object: String(row.object),
        version: String(row.version),
        pid: Number(row.pid),
      }));
  }

  /** The key of each call of `execute`, in order, whether it wrote or not. */
  calls(): readonly string[] {
    return this.#database
      .prepare("select key from calls order by id")
      .all()
      .map(({ key }) => String(key));
  }

  executor(action: ActionType): Executor {
    return {
      action,
      inspect: async (target) => this.stateOf(target),
      dryRun: async (target) => answer(target, "done", "would be restored"),
      execute: (target, key, abort) => this.#execute(target, key, abort),
      reconcile: async (target, key) => {
        const done = this.#database.prepare("select 1 from writes where key = ?").get(key) !== undefined;
        return done ? answer(target, "done", "found done") : this.#notDone(target);
      },
    };
  }

  /** As every real executor tells it: the act may be tried again, or what is there is not of this key. */
  #notDone(target: Target): TargetResult {
    const position = positionOf(target, this.stateOf(target));
    if (position === "expected") return answer(target, "failed", "no write of this key is there");
    const detail = "not done by this plan: no write of this key is there";
    return answer(target, position === "restored" ? "nothing-to-do" : "stale", detail);
  }

  async #execute(target: Target, key: string, abort: AbortSignal): Promise<TargetResult> {
    this.#database.prepare("insert into calls (key, pid) values (?, ?)").run(key, process.pid);
    const row = this.#database.prepare("select behaviour from objects where object = ?").get(nameOf(target));
    const behaviour = row?.behaviour ?? null;
    if (behaviour === "fail") return answer(target, "failed", "the API answered 422");
    if (behaviour === "refuse") return answer(target, "refused", "a paused rollout cannot be undone");
    if (behaviour === "unreachable") return answer(target, "unreachable", "nothing listens there");
    if (behaviour === "silent") return silence(abort);
    const result = this.#write(target, key);
    return behaviour === "late" ? silence(abort) : result;
  }

  #write(target: Target, key: string): TargetResult {
    const { expected, restore } = target;
    this.#database.exec("begin immediate");
    try {
      const done = this.#database
        .prepare(
          "update objects set version = ?, revision = revision + 1 where object = ? and version = ? and revision = ?",
        )
        .run(restore.version, nameOf(target), expected.version, expected.revision);
      if (done.changes === 0) {
        const { version, revision } = this.stateOf(target);
        const restored = version === restore.version;
        return restored
          ? answer(target, "nothing-to-do", `already at ${version}`)
          : answer(target, "stale", `it is at ${version} (revision ${revision})`);
      }
      this.#database
        .prepare("insert into writes (key, object, version, pid) values (?, ?, ?, ?)")
        .run(key, nameOf(target), restore.version, process.pid);
      return answer(target, "done", `restored ${restore.version}`);
    } finally {
      this.#database.exec("commit");
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

const nameOf = ({ object }: Target): string => `${object.kind}/${object.namespace}/${object.name}`;

const answer = (target: Target, result: TargetResult["result"], detail: string): TargetResult => ({
  target,
  result,
  detail,
  at: 0,
  warnings: [],
});

function silence(abort: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  abort.addEventListener("abort", () => reject(abort.reason));
  return promise;
}
