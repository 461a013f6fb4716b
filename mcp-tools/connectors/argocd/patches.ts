import { type Application, autoSync } from "./application.ts";
import type { JsonPatch } from "./client.ts";
import { type Mark, markOf, NOT_STARTED, ROLLBACK_ANNOTATION } from "./mark.ts";

const ENABLED = "/spec/syncPolicy/automated/enabled";
/** RFC 6901 §3: "/" in a key is "~1". */
const ANNOTATION = `/metadata/annotations/${ROLLBACK_ANNOTATION.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/**
 * The write before a rollback: auto-sync off by `automated.enabled` alone (prune, selfHeal and the rest of the policy
 * stay), and the mark of the plan. Argo CD applies it only while the application is exactly the one that was read.
 */
export function switchOffPatch(application: Application, mark: Omit<Mark, "autoSyncWas" | "inherited">): JsonPatch {
  const on = autoSync(application) === "on";
  const enabled = application.spec.syncPolicy?.automated?.enabled;
  // What an earlier rollback of ours switched off, and nobody switched on since, is still to be put back.
  const before = autoSync(application) === "off" ? (markOf(application)?.autoSyncWas ?? null) : null;
  const autoSyncWas = on ? (enabled === true ? true : "unset") : before;
  return [
    same(application),
    ...(on ? [{ op: "add", path: ENABLED, value: false } as const] : []),
    ...marked(application, { ...mark, autoSyncWas, inherited: !on && before !== null }),
  ];
}

/** Puts `automated.enabled` back to what it was before `switchOffPatch`. */
export function switchOnPatch(application: Application, mark: Mark): JsonPatch {
  return [same(application), ...enabledAgain(mark), ...marked(application, { ...mark, autoSyncWas: null })];
}

/**
 * Takes back what `switchOffPatch` did for a rollback that was not started: its switch, where it was this one's, and the
 * claim that a sync after it is unship's. What an earlier rollback switched off stays for whoever resumes it.
 */
export function giveUpPatch(application: Application, mark: Mark): JsonPatch {
  const switched = mark.autoSyncWas !== null && !mark.inherited && autoSync(application) === "off";
  return [
    same(application),
    ...(switched ? enabledAgain(mark) : []),
    ...(mark.inherited
      ? marked(application, { ...mark, to: NOT_STARTED })
      : [{ op: "remove", path: ANNOTATION } as const]),
  ];
}

const enabledAgain = ({ autoSyncWas }: Mark): JsonPatch => [
  { op: "test", path: ENABLED, value: false },
  autoSyncWas === true ? { op: "add", path: ENABLED, value: true } : { op: "remove", path: ENABLED },
];

const same = ({ metadata }: Application) =>
  ({ op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion }) as const;

function marked({ metadata }: Application, mark: Mark): JsonPatch {
  const none = Object.keys(metadata.annotations).length === 0;
  return [
    ...(none ? [{ op: "add", path: "/metadata/annotations", value: {} } as const] : []),
    { op: "add", path: ANNOTATION, value: JSON.stringify(mark) },
  ];
}
