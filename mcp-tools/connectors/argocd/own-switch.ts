import { type Application, autoSync, current, versionOf, wantedByGit } from "./application.ts";
import type { ArgocdClient } from "./client.ts";
import { markOf } from "./mark.ts";
import { giveUpPatch } from "./patches.ts";

/** What is left of a plan's own switch of auto-sync, in words; `stays`: it is off because of this plan, or may be. */
export interface Left {
  readonly words: string;
  readonly stays: boolean;
}

export const MAY_BE_OFF: Left = {
  words: "Auto-sync may be off now: check, and switch it on again if nothing was rolled back.",
  stays: true,
};

/** Undoes this plan's own switch where Git, looked at anew, asks for what stands. */
export async function switchOnIfSafe(
  client: ArgocdClient,
  first: Application,
  key: string,
  abort: AbortSignal,
): Promise<Left> {
  if (!switchedOffBy(first, key)) return { words: autoSyncWords(first), stays: false };
  const { name, namespace } = first.metadata;
  const application = await client.application(name, namespace, abort, { refresh: true }).catch(() => null);
  if (application === null) return MAY_BE_OFF;
  const [wanted, live] = [wantedByGit(application), current(application)];
  if (live !== null && wanted === versionOf(live)) return switchOnAgain(client, application, key, abort);
  const asks = wanted === null ? "Argo CD does not tell what Git asks for" : `Git still asks for ${wanted}`;
  return { words: `auto-sync is off: this plan switched it off, and it stays off since ${asks}`, stays: true };
}

/** Whether auto-sync is off because this plan switched it off. */
export const switchedOffBy = (application: Application, key: string): boolean => {
  const mark = markOf(application);
  return mark?.plan === key && mark.autoSyncWas !== null && !mark.inherited && autoSync(application) === "off";
};

/** Undoes this plan's own switch and its mark, and says what stands. */
export async function switchOnAgain(
  client: ArgocdClient,
  application: Application,
  key: string,
  abort: AbortSignal,
): Promise<Left> {
  const mark = markOf(application);
  if (mark?.plan !== key) return { words: autoSyncWords(application), stays: false };
  const switched = switchedOffBy(application, key);
  const { name, namespace } = application.metadata;
  const after = await client.patch(name, namespace, giveUpPatch(application, mark), abort).catch(() => null);
  if (!switched) return { words: autoSyncWords(application), stays: false };
  return after !== null && autoSync(after) === "on"
    ? { words: "auto-sync, which was switched off for it, is on again", stays: false }
    : { words: "auto-sync, which was switched off for it, could not be switched on again: do it by hand", stays: true };
}

export function autoSyncWords(application: Application): string {
  const auto = autoSync(application);
  return auto === "none" ? "it has no auto-sync" : `auto-sync is ${auto}`;
}
