import { stringify } from "yaml";

/**
 * What a pod does is told by the last digit of its image's patch version (`shop/cart:4.1.17` is 7), so that a version
 * says nothing to whoever reads it as a version: 7 never becomes ready, 8 crashes again and again, 9 becomes ready late,
 * any other is ready at once.
 */
export const POD_DIGITS = { neverReady: 7, crashes: 8, late: 9 } as const;
export type PodFate = keyof typeof POD_DIGITS | "ready";

/** How long a container takes to become ready, ms: at once, and late. */
export const READY_AFTER_MS = 700;
export const LATE_AFTER_MS = 20_000;
/** Kubernetes doubles the pause from 10 s on; here each pause is the first. */
const CRASH_EVERY_MS = 10_000;

const DIGIT = `.spec.containers[0].image | capture(":[0-9]+\\\\.[0-9]+\\\\.(?<patch>[0-9]+)$") | .patch | tonumber % 10`;
const is = (...digits: readonly number[]) => ({ key: DIGIT, operator: "In", values: digits.map(String) });
const isNot = (...digits: readonly number[]) => ({ key: DIGIT, operator: "NotIn", values: digits.map(String) });
const exists = (key: string) => ({ key, operator: "Exists" });
const lacks = (key: string) => ({ key, operator: "DoesNotExist" });
const ready = (status: "True" | "False") => ({
  key: '.status.conditions[] | select(.type == "Ready") | .status',
  operator: "In",
  values: [status],
});

const LIVE = lacks(".metadata.deletionTimestamp");
const NEW = lacks(".status.podIP");
const STARTED = exists(".status.podIP");

const conditions = (status: "True" | "False") => `
conditions:
{{ range $type := list "Initialized" "PodReadyToStartContainers" }}
- type: {{ $type }}
  status: "True"
  lastTransitionTime: {{ Now | Quote }}
{{ end }}
{{ range $type := list "Ready" "ContainersReady" }}
- type: {{ $type }}
  status: "${status}"
  lastTransitionTime: {{ Now | Quote }}
{{ end }}`;

/** As a kubelet says it of a pod whose node was lost and is back: its containers were ready all the time. */
const READY_ALONE = `
conditions:
- type: Ready
  status: "True"
  lastTransitionTime: {{ Now | Quote }}`;

const address = `
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
phase: Running
startTime: {{ Now | Quote }}`;

const running = (isReady: boolean) => `
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: ${isReady}
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ Now | Quote }}
{{ end }}`;

const crashed = `
{{ $root := . }}
containerStatuses:
{{ range $index, $item := .spec.containers }}
{{ $before := index (or $root.status.containerStatuses (list dict)) $index }}
- name: {{ $item.name | Quote }}
  image: {{ $item.image | Quote }}
  ready: false
  started: false
  restartCount: {{ add (or $before.restartCount 0) 1 }}
  state:
    waiting:
      reason: CrashLoopBackOff
      message: back-off 10s restarting failed container
  lastState:
    terminated:
      exitCode: 1
      reason: Error
      startedAt: {{ Now | Quote }}
      finishedAt: {{ Now | Quote }}
{{ end }}`;

interface Next {
  readonly statusTemplate?: string;
  readonly finalizers?: { readonly empty: true };
  readonly delete?: true;
}

function stage(name: string, matchExpressions: readonly object[], next: Next, delayMs = 0) {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: "v1", kind: "Pod" },
      selector: { matchExpressions },
      ...(delayMs === 0 ? {} : { delay: { durationMilliseconds: delayMs } }),
      next,
    },
  };
}

/**
 * kwok's rules for pods. Unlike its built-in ones a pod whose node was lost and came back becomes ready again.
 *
 * @see https://kwok.sigs.k8s.io/docs/user/stages-configuration/
 */
export function podStages(): string {
  const { neverReady, crashes, late } = POD_DIGITS;
  const stages = [
    stage(
      "ready",
      [LIVE, NEW, isNot(neverReady, crashes, late)],
      { statusTemplate: `${conditions("True")}${running(true)}${address}` },
      READY_AFTER_MS,
    ),
    stage("unready", [LIVE, NEW, is(neverReady, late)], {
      statusTemplate: `${conditions("False")}${running(false)}${address}`,
    }),
    stage("crash", [LIVE, NEW, is(crashes)], { statusTemplate: `${conditions("False")}${crashed}${address}` }),
    stage("crash-again", [LIVE, STARTED, is(crashes)], { statusTemplate: crashed }, CRASH_EVERY_MS),
    stage(
      "ready-late",
      [LIVE, STARTED, is(late), ready("False")],
      { statusTemplate: `${conditions("True")}${running(true)}` },
      LATE_AFTER_MS,
    ),
    stage(
      "ready-again",
      [LIVE, STARTED, isNot(neverReady, crashes, late), ready("False")],
      { statusTemplate: READY_ALONE },
      READY_AFTER_MS,
    ),
    stage("delete", [exists(".metadata.deletionTimestamp")], { finalizers: { empty: true }, delete: true }, 300),
  ];
  return stages.map((one) => stringify(one)).join("---\n");
}
