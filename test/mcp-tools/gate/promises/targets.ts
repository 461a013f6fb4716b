import type { Target, TargetResult } from "../../../../core/model/plan.ts";
import type { Executor, TargetState } from "../../../../core/ports.ts";
import { type Fault, PODS, THINGS } from "./catalog.ts";
import { movedAway } from "./model.ts";
import { objectOf } from "./situation.ts";
import { type Situation, type Standing, thingOf } from "./verdict.ts";

/** What stands in production, and every write to it; it writes only onto the version that is expected. */
export class Targets {
  readonly stands = new Map<string, Standing>();
  readonly writes: { readonly key: string; readonly thing: string }[] = [];
  readonly faults = new Map<string, Fault>();
  readonly deaf = new Set<string>();
  /** Keys of acts that wrote and then ended badly. */
  readonly broken = new Set<string>();
  situation: Situation = { troubles: new Set(), fresh: [] };
  /** Called at the moment of each act, before anything is written. */
  beforeAct: (target: Target, key: string) => Promise<void> = async () => {};

  executors(): readonly Executor[] {
    const actions = ["kubectl_rollout_undo", "feature_flag_disable", "database_migration_rollback"] as const;
    return actions.map((action) => ({
      action,
      inspect: async (target) => this.#inspect(target),
      dryRun: async (target) => said(target, "done", "would be done"),
      execute: (target, key) => this.#execute(target, key),
      reconcile: async (target, key) => {
        if (this.deaf.has(nameOf(target))) throw new Error("no answer");
        if (this.broken.has(key)) return said(target, "failed", "it was run, and it ended badly");
        const done = this.writes.some((write) => write.key === key);
        return done ? said(target, "done", "found done") : this.#notDone(target);
      },
    }));
  }

  #notDone(target: Target): TargetResult {
    const now = this.stands.get(nameOf(target)) ?? { version: "", revision: "" };
    const { expected, restore } = target;
    if (now.version === expected.version && now.revision === expected.revision)
      return said(target, "failed", "not done");
    const restored = isFlag(target) ? now.revision === "off" : now.version === restore.version;
    return said(target, restored ? "nothing-to-do" : "stale", "not done by this plan");
  }

  #inspect(target: Target): TargetState {
    const name = nameOf(target);
    const { troubles, fresh } = this.situation;
    const first = fresh[0]?.thing === name;
    if (this.deaf.has(name) || (first && troubles.has("target-unreadable"))) throw new Error("no answer");
    const { reaches } = thingOf(name);
    const less = first && troubles.has("less-capacity") ? ["the CPU limit of app is 500m, not 1"] : [];
    return {
      ...(this.stands.get(name) ?? { version: "v0", revision: "0" }),
      obstacles: first && troubles.has("obstacle") ? ["its rollout is paused"] : [],
      warnings: first && troubles.has("warning") ? ["the next sync would bring it back"] : [],
      ...(first && troubles.has("being-changed") ? { changedBy: "zoe" } : {}),
      ...(first && troubles.has("capacity-unknown") ? {} : { capacity: { replicas: PODS, less } }),
      ...(reaches === null ? {} : { reaches }),
    };
  }

  async #execute(target: Target, key: string): Promise<TargetResult> {
    await this.beforeAct(target, key);
    const name = nameOf(target);
    const fault = this.faults.get(name) ?? null;
    if (fault === "fail") return said(target, "failed", "the API answered 422");
    if (fault === "refuse") return said(target, "refused", "the API said no");
    if (fault === "unreachable") return said(target, "unreachable", "nothing listens there");
    if (fault === "lost-before") throw new Error("cut off");
    if (fault === "lost-before-once") {
      this.faults.delete(name);
      throw new Error("cut off");
    }
    if (fault === "moves-first") this.stands.set(name, movedAway(name, this.stands.get(name)));
    const result = this.#write(target, key);
    if (fault === "deaf") this.deaf.add(name);
    if (fault === "breaks" && result.result === "done") this.broken.add(key);
    if (fault === "deaf" || fault === "lost-after" || fault === "breaks") throw new Error("cut off");
    return result;
  }

  #write(target: Target, key: string): TargetResult {
    const name = nameOf(target);
    const now = this.stands.get(name) ?? { version: "", revision: "" };
    const { expected, restore } = target;
    if (now.version !== expected.version || now.revision !== expected.revision) {
      const restored = isFlag(target) ? now.revision === "off" : now.version === restore.version;
      return restored ? said(target, "nothing-to-do", "already") : said(target, "stale", `it is at ${now.version}`);
    }
    const after = isFlag(target)
      ? { version: String(+now.version + 1), revision: "off" }
      : { version: restore.version, revision: String(+now.revision + 1) };
    this.stands.set(name, after);
    this.writes.push({ key, thing: name });
    return said(target, "done", `restored ${restore.version}`);
  }
}

const isFlag = ({ action }: Target) => action === "feature_flag_disable";

export function nameOf(target: Target): string {
  const { kind, namespace, name } = target.object;
  const found = THINGS.find((thing) => {
    const object = objectOf(thing);
    return object.kind === kind && object.namespace === namespace && object.name === name;
  });
  if (found === undefined) throw new Error(`no thing ${kind} ${namespace}/${name}`);
  return found.name;
}

const said = (target: Target, result: TargetResult["result"], detail: string): TargetResult => ({
  target,
  result,
  detail,
  at: 0,
  warnings: [],
});
