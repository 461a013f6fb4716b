import type { Config } from "../config/config.ts";
import type { SampleIndex } from "../correlation/samples.ts";
import { isLatency } from "../detection/meaning.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Impact } from "../model/impact.ts";
import { routeShares } from "./routes.ts";
import { lostToSlowness } from "./slowness.ts";

export interface Revenue {
  /** A minute, in the configured currency. */
  readonly atRisk: number;
  readonly total: number;
  readonly routes: Impact["routes"];
  /** Affected services that earn, and of which neither errors nor latency are measured: what they lose is unknown. */
  readonly unmeasured: readonly string[];
}

/**
 * Each route's worth times what fails of that route; a service's worth that no route has, times what fails of the
 * service. A route that nobody measures by itself fails as its service does. Of the requests that do not fail, those that
 * became too slow are at risk as well. `services`: the affected ones; `since`: their onset, Unix ms.
 */
export function revenueAtRisk(
  caseFile: CaseFile,
  index: SampleIndex,
  config: Config,
  services: readonly string[],
  since: number,
): Revenue {
  const routes: { service: string; route: string; failedShare: number }[] = [];
  const unmeasured: string[] = [];
  let total = 0;
  let atRisk = 0;
  const names = new Set([...Object.keys(config.services), ...services]);
  for (const service of names) {
    const { routes: configured = [], revenuePerMinute = null } = config.services[service] ?? {};
    const worth = configured.reduce((sum, route) => sum + route.revenuePerMinute, 0) || (revenuePerMinute ?? 0);
    total += worth;
    if (!services.includes(service)) continue;
    const last = index.whole(service, "error_rate")?.values.findLast((value) => value !== null) ?? null;
    const slow = lostToSlowness(caseFile, service);
    const lost = (failedShare: number) => failedShare + (1 - failedShare) * slow;
    const measured = routeShares(
      caseFile,
      service,
      configured.map(({ route }) => route),
      since,
    );
    const shares = configured.map(({ route, revenuePerMinute: value }) => ({
      route,
      value,
      failedShare: measured.get(route) ?? last,
    }));
    for (const { route, value, failedShare } of shares) {
      atRisk += value * lost(failedShare ?? 0);
      if (failedShare !== null) routes.push({ service, route, failedShare });
    }
    if (configured.length === 0) atRisk += worth * lost(last ?? 0);
    const blind = configured.length === 0 ? last === null : shares.some(({ failedShare }) => failedShare === null);
    if (worth > 0 && blind && !hasLatency(caseFile, service)) unmeasured.push(service);
    const known = new Set(configured.map(({ route }) => route));
    for (const [route, failedShare] of measured) if (!known.has(route)) routes.push({ service, route, failedShare });
  }
  return { atRisk, total, routes, unmeasured };
}

const hasLatency = ({ series }: CaseFile, service: string): boolean =>
  series.some((one) => one.service === service && isLatency(one.metric) && one.values.some((value) => value !== null));
