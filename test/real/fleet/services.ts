import { ON_EDGE } from "../../../evals/real-kubernetes/control-plane.ts";
import type { FleetService } from "./configuration.ts";

const service = (
  name: string,
  rate: number,
  latencySeconds: number,
  more: Partial<FleetService> = {},
): FleetService => ({
  name,
  rate,
  latencySeconds,
  calls: [],
  workload: { name, kind: "Deployment", replicas: 2 },
  ...more,
});

/** Four that call one another, and four that nothing joins. */
export const FLEET: readonly FleetService[] = [
  service("gateway", 25, 0.06, {
    calls: [
      { callee: "checkout", share: 0.5 },
      { callee: "catalog", share: 0.5 },
    ],
  }),
  service("checkout", 10, 0.05, { calls: [{ callee: "payments", share: 0.8 }] }),
  service("payments", 8, 0.08),
  service("catalog", 10, 0.03),
  // What a rollout of seconds does is told by its versions alone: by enough requests while both serve.
  service("search", 100, 0.06),
  service("mailer", 100, 0.05),
  service("metering", 100, 0.04),
  service("reports", 100, 0.05, { workload: { name: "reports", kind: "StatefulSet", replicas: 2 } }),
];

/** Known to the configuration, and deployed for the first time during a run. */
export const LATER: readonly FleetService[] = [service("fresh", 100, 0.05)];

/** Where Argo Rollouts is among the real parts: one that brings new versions by canary, and one by blue and green. */
export const ROLLOUTS: readonly FleetService[] = [
  service("offers", 100, 0.05, { workload: { name: "offers", kind: "Rollout", replicas: 4, strategy: "canary" } }),
  service("accounts", 40, 0.05, {
    calls: [{ callee: "profiles", share: 0.5 }],
    workload: { name: "accounts", kind: "Rollout", replicas: 2, strategy: "blueGreen" },
  }),
];

/** Where Argo CD is among the real parts: one whose releases are commits, which it syncs and heals by itself. */
export const BY_GIT: readonly FleetService[] = [
  service("storefront", 100, 0.05, { workload: { name: "storefront", kind: "Deployment", replicas: 2, byGit: true } }),
];

/** More, so that at least twelve can be in trouble side by side. */
export const LARGE_FLEET: readonly FleetService[] = [
  ...FLEET,
  service("sessions", 20, 0.04, { calls: [{ callee: "profiles", share: 0.7 }] }),
  service("profiles", 12, 0.05),
  service("pricing", 15, 0.05, { calls: [{ callee: "catalog", share: 0.3 }] }),
  service("agents", 15, 0.04, { workload: { name: "agents", kind: "DaemonSet", replicas: 3 } }),
  service("ledger", 15, 0.06, { workload: { name: "ledger", kind: "StatefulSet", replicas: 2 } }),
  service("exports", 20, 0.05),
  service("far", 15, 0.05, { workload: { name: "far", kind: "Deployment", replicas: 2, pod: ON_EDGE } }),
];
