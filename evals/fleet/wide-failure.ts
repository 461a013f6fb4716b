import type { Draw } from "../scenarios/draw.ts";
import { type Fault, type Gap, MINUTE, SECOND, type ServiceModel } from "../scenarios/world/model.ts";
import type { ApartPlot, ApartWorld } from "./apart-world.ts";
import { PODS_RECORDED } from "./pods.ts";

/** What many services stand on without calling it. */
export const PLATFORMS = [
  "zone",
  "node pool",
  "dns",
  "mesh control plane",
  "identity provider",
  "metrics collector",
  "host update",
] as const;
export type Platform = (typeof PLATFORMS)[number];

/**
 * How the failure of each shows in the services: which share of them, how late at most after the first, for how long, and
 * in which signals.
 * - A zone of three: a third of the pods of most services is gone, errors until the load balancers have noticed (two to
 *   three health checks of 10 s), pods back after 10 to 20 minutes. AWS, summaries of the events in use1-az4 (22 December
 *   2021) and Tokyo (23 August 2019).
 * - A node pool: the same of fewer services, whose pods wait for `tolerationSeconds` (300 s by default) before they move:
 *   https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 * - DNS: lookups fail once cached answers have run out (a TTL of 5 to 30 s for cluster names:
 *   https://coredns.io/plugins/kubernetes/), and those that are tried again take 5 s (resolv.conf(5), `timeout`).
 * - A mesh control plane: certificates and endpoints go stale, and part of the connections fails or waits.
 * - An identity provider: whoever asks it for a token fails; kept keys and tokens hide it for seconds.
 * - A collector: samples of all services, or of most, are missing; nothing is degraded.
 * - An update of all hosts that restarts their network: one service after another loses connections as the update
 *   reaches its nodes. Datadog, report on 8 March 2023 (unattended upgrades within an hour):
 *   https://www.datadoghq.com/blog/2023-03-08-multiregion-infrastructure-connectivity-issue/
 */
export function wideFailure(world: ApartWorld, platform: Platform, fresh: readonly ServiceModel[]): ApartPlot {
  const draw = world.draw.stream("wide");
  const changes = fresh.map((service) =>
    world.changes.make("deploy", service, world.moment - draw.uniform(0.1, 10) * MINUTE),
  );
  const { faults, gaps } = HAPPENINGS[platform](draw, world);
  return {
    name: `${platform} fails, ten of ${world.system.services.length} services freshly deployed`,
    why: `the ${platform} failed; no change did it`,
    changes,
    faults,
    gaps,
    logs: draw.chance(0.5),
    versions: draw.chance(0.5),
    pods: { of: changes, recorded: world.draw.stream("readiness").pick(PODS_RECORDED) },
  };
}

interface Happening {
  readonly faults: readonly Fault[];
  readonly gaps: readonly Gap[];
}

const HAPPENINGS: Readonly<Record<Platform, (draw: Draw, world: ApartWorld) => Happening>> = {
  zone: (draw, world) => lostPods(draw, world, draw.uniform(0.5, 0.95), [0.25, 0.42]),
  "node pool": (draw, world) => lostPods(draw, world, draw.uniform(0.15, 0.4), [0.2, 0.6]),
  dns: (draw, world) =>
    failing(draw, world, draw.uniform(0.6, 1), 30, (own) => ({
      errors: own.uniform(0.15, 0.9),
      ...(own.chance(0.5) ? { addedMs: own.uniform(500, 5000) } : {}),
      signature: "lookup failed: temporary failure in name resolution id={id}",
    })),
  "mesh control plane": (draw, world) =>
    failing(draw, world, draw.uniform(0.4, 1), 60, (own) => ({
      ...(own.chance(0.6) ? { errors: own.uniform(0.05, 0.5) } : { latencyFactor: own.uniform(2, 6) }),
      signature: "upstream connect error or disconnect/reset before headers id={id}",
    })),
  "identity provider": (draw, world) =>
    failing(draw, world, draw.uniform(0.3, 0.8), 45, (own) => ({
      errors: own.uniform(0.2, 0.95),
      signature: "token endpoint unavailable, cannot authenticate id={id}",
    })),
  "metrics collector": (draw, { system, moment }) => {
    const to = moment + draw.uniform(2, 10) * MINUTE;
    const gap = (service: string | null): Gap => ({ service, metric: null, from: moment, to });
    if (draw.chance(0.5)) return { faults: [], gaps: [gap(null)] };
    return { faults: [], gaps: hit(draw, system.services, draw.uniform(0.3, 0.9)).map(({ name }) => gap(name)) };
  },
  "host update": oneByOne,
};

function oneByOne(draw: Draw, { system, moment }: ApartWorld): Happening {
  const end = draw.chance(0.4) ? Number.POSITIVE_INFINITY : moment + draw.uniform(8, 20) * MINUTE;
  const most = draw.uniform(5, 50);
  let from = moment;
  const faults = hit(draw, system.services, draw.uniform(0.1, 0.3)).map(({ name }): Fault => {
    const fault = { because: null, service: name, from, to: end, errors: draw.uniform(0.1, 0.6) };
    from += draw.uniform(0.2, 1) * most * SECOND;
    return { ...fault, signature: "read tcp: connection timed out id={id}" };
  });
  return { faults, gaps: [] };
}

const hit = (draw: Draw, services: readonly ServiceModel[], share: number): readonly ServiceModel[] =>
  draw.shuffle(services).slice(0, Math.round(services.length * share));

function failing(
  draw: Draw,
  { system, moment }: ApartWorld,
  share: number,
  lagSeconds: number,
  harm: (own: Draw) => Partial<Fault>,
): Happening {
  const end = draw.chance(0.4) ? Number.POSITIVE_INFINITY : moment + draw.uniform(4, 12) * MINUTE;
  const most = draw.uniform(0, lagSeconds);
  const faults = hit(draw, system.services, share).map(({ name }) => ({
    because: null,
    service: name,
    from: moment + draw.uniform(0, most) * SECOND,
    to: end,
    ...harm(draw),
  }));
  return { faults, gaps: [] };
}

function lostPods(
  draw: Draw,
  { system, moment }: ApartWorld,
  share: number,
  [least, most]: readonly [number, number],
): Happening {
  const back = moment + draw.uniform(8, 20) * MINUTE;
  const noticed = moment + draw.uniform(20, 90) * SECOND;
  const faults = hit(draw, system.services, share).flatMap(({ name }): readonly Fault[] => {
    const lost = draw.uniform(least, most);
    const from = moment + draw.uniform(0, 10) * SECOND;
    const signature = "dial tcp: connect: no route to host id={id}";
    return [
      { because: null, service: name, from, to: noticed, errors: lost * draw.uniform(0.5, 0.9), signature },
      { because: null, service: name, from, to: back, unready: lost, capacityFactor: 1 - lost },
    ];
  });
  return { faults, gaps: [] };
}
