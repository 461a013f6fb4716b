import { partition } from "../../../core/assessment/partition.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";

export const SECOND = 1000;

/** A service that fails a third of its requests since so many seconds after T0, known to half a minute. */
export function failing(service: string, fromS: number): Finding {
  const at = T0 + fromS * SECOND;
  return {
    detector: "change-point",
    service,
    metric: "error_rate",
    labels: {},
    unit: "ratio",
    verdict: "worse",
    onset: { at, earliest: at - 15 * SECOND, latest: at + 15 * SECOND },
    detectedAt: at + 30 * SECOND,
    baseline: 0.003,
    current: 0.33,
    samples: 4,
    strength: 30,
    because: `${service} fails`,
  };
}

export const measured = (services: readonly string[]): CaseFile["series"] =>
  services.map((service) => ({
    service,
    metric: "error_rate",
    unit: "ratio",
    labels: {},
    worse: "up",
    startAt: T0 - 30 * MINUTE,
    stepMs: 15 * SECOND,
    values: Array.from({ length: 160 }, () => 0.003),
  }));

export const deployed = (service: string, atS: number): Change =>
  change({ id: `deploy-${service}`, service, startedAt: T0 + atS * SECOND, finishedAt: T0 + (atS + 60) * SECOND });

/** Who calls whom, who fails since how many seconds after T0, and who was changed. */
export interface World {
  readonly edges?: readonly (readonly [string, string])[];
  readonly fails: Readonly<Record<string, number>>;
  readonly stuck?: Readonly<Record<string, number>>;
  readonly changes?: readonly Change[];
  readonly healthy?: readonly string[];
}

export function caseOf({ edges = [], fails, stuck = {}, changes = [], healthy = [] }: World): CaseFile {
  return emptyCase({
    topology: edges.length === 0 ? null : { edges, external: [] },
    findings: [
      ...Object.entries(fails).map(([service, fromS]) => failing(service, fromS)),
      ...Object.entries(stuck).map(([service, fromS]) => ({
        ...failing(service, fromS),
        detector: "rollout" as const,
        metric: "health_check_failures",
      })),
    ],
    series: measured([...Object.keys(fails), ...healthy]),
    changes,
  });
}
export const groups = (world: World) => partition(caseOf(world)).map(({ services }) => services.join("+"));
export const names = (n: number) => Array.from({ length: n }, (_, i) => `s${String(i).padStart(3, "0")}`);
export const at = (services: readonly string[], fromS: number) =>
  Object.fromEntries(services.map((one) => [one, fromS]));
