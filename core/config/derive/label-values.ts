import type { LabelSpread } from "./evidence.ts";

/** What the values of a label look like, where at least half of them do. */
export type ValueKind = "address" | "number" | "method" | "path" | "boolean" | "status" | "version" | "pod" | "name";

const KINDS: readonly (readonly [ValueKind, RegExp])[] = [
  ["boolean", /^(true|false)$/i],
  ["status", /^[1-5](\d\d|xx)$/i],
  ["number", /^[+-]?(\d+|\d*\.\d+)(e[+-]?\d+)?$|^[+-]?inf$/i],
  // RFC 9110 §9, RFC 5789.
  ["method", /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$/],
  ["path", /^\//],
  ["address", /^(https?:\/\/\S+|\[?[\da-f:.]+\]?:\d+|[\w.-]+:\d+|\d{1,3}(\.\d{1,3}){3})$/i],
  // A Deployment's pod: the ReplicaSet's hash and five letters, in the alphabet that Kubernetes draws from.
  ["pod", /-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/],
  // 1.2, v1.2.3-rc.1, 2026-12-02, a commit (Git abbreviates to seven digits or more), sha256:…
  [
    "version",
    /^(v?\d+(\.\d+)+([-+._][\w.+-]+)?|v\d+|\d{4}-?\d{2}-?\d{2}([-.T]\w*)?|(?=.*\d)[0-9a-f]{7,64}|sha256:[0-9a-f]+)$/i,
  ],
];

/** What most of a label's values look like; "name" where they look like none of the others. */
export function kindOfValues({ values }: Pick<LabelSpread, "values">): ValueKind {
  for (const [kind, form] of KINDS) {
    const alike = values.filter(({ value }) => form.test(value)).length;
    if (values.length > 0 && alike * 2 >= values.length) return kind;
  }
  return "name";
}

/** Of all series of the metric, the share that carries the label, 0–1. */
export function coverageOf({ values, without }: LabelSpread): number {
  const having = values.reduce((sum, { series }) => sum + series, 0);
  return having + without === 0 ? 0 : having / (having + without);
}

/** "97 %", never 100 % where something is missing. */
export const percent = (share: number): string =>
  `${share > 0.99 && share < 1 ? 99 : share > 0 && share < 0.01 ? 1 : Math.round(share * 100)} %`;
