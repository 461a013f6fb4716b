import { z } from "zod";

const Amounts = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .nullish()
  .transform((value) => value ?? {});
const Pods = z.looseObject({
  spec: z.looseObject({
    containers: z.array(
      z.looseObject({
        name: z.string(),
        resources: z.looseObject({ limits: Amounts, requests: Amounts }).nullish(),
      }),
    ),
  }),
});

/**
 * What the pods of one template have less of than those of another: a lower limit, or a lower or missing request, of CPU
 * or memory, container by container. No limit is more than any. Null where either template cannot be read.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
export function lessOf({
  present,
  restored,
}: {
  readonly present: unknown;
  readonly restored: unknown;
}): readonly string[] | null {
  const now = Pods.safeParse(present);
  const then = Pods.safeParse(restored);
  if (!now.success || !then.success) return null;
  return then.data.spec.containers.flatMap(({ name, resources }) => {
    const running = now.data.spec.containers.find((one) => one.name === name);
    if (running === undefined) return [];
    return (["limits", "requests"] as const).flatMap((what) =>
      ["cpu", "memory"].flatMap((resource) => {
        const [had, has] = [resources?.[what][resource], running.resources?.[what][resource]];
        if (!isLess(what, had, has)) return [];
        const label = `${resource === "cpu" ? "CPU" : resource} ${what === "limits" ? "limit" : "request"}`;
        return [`the ${label} of ${name} is ${had ?? "not set"}, not ${has ?? "unlimited"}`];
      }),
    );
  });
}

type Amount = string | number | undefined;

function isLess(what: "limits" | "requests", had: Amount, has: Amount): boolean {
  const none = what === "limits" ? Number.POSITIVE_INFINITY : 0;
  const [then, now] = [had, has].map((one) => (one === undefined ? none : quantity(one)));
  // What cannot be read is not known to be enough.
  if (then === undefined || now === undefined || Number.isNaN(then) || Number.isNaN(now)) return true;
  return then < now;
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity as a number: "500m" → 0.5, "1Gi" → 1073741824, "1e3" → 1000; NaN for what is none.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function quantity(amount: string | number): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkKMGTPE]?i?)$/.exec(String(amount));
  const factor = SUFFIXES[match?.[2] ?? "none"];
  return match === null || factor === undefined ? Number.NaN : Number(match[1]) * factor;
}
