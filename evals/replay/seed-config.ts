import { join } from "node:path";
import { inMode, readConfig } from "../../agent/compose/config-file.ts";
import type { Config } from "../../core/config/config.ts";
import { replayConfig } from "../../core/config/defaults.ts";
import type { Bundle } from "./bundle.ts";

const SEED = join(import.meta.dirname, "../../examples/openclaw-agent-config.yaml");

/** The example configuration as it stands, secrets unread: for what needs a configuration and none is given. */
export const exampleConfig = (): Config => readConfig(SEED, {}, { secrets: "unused", replay: true });

/**
 * The configuration of a replay: the given file, or without one the seed's in auto mode with a statistical condition
 * beside each threshold. No secret is needed, since no source of the file is asked. What the bundle says of its
 * services (namespace, criticality, revenue) fills what the file leaves open; its step is the watch's.
 */
export function configFor(bundle: Bundle, file: string | undefined, mode: string | undefined): Config {
  const path = file ?? SEED;
  const read = readConfig(path, {}, { secrets: "unused", replay: true });
  const base = file === undefined ? replayConfig(read) : inMode(read, "auto");
  const chosen = mode === undefined ? base : inMode(base, mode);
  const services = Object.fromEntries(
    bundle.incident.services.map(({ name, namespace, criticality, revenue_per_minute }) => {
      const known = base.services[name];
      return [
        name,
        {
          namespace: known?.namespace ?? namespace,
          workload: known?.workload ?? { kind: "Deployment", name },
          argocdApplication: known?.argocdApplication ?? null,
          flags: known?.flags ?? [],
          criticality: known?.criticality ?? criticality,
          revenuePerMinute: known?.revenuePerMinute ?? revenue_per_minute ?? null,
          routes: known?.routes ?? [],
          mode: known?.mode ?? null,
        },
      ];
    }),
  );
  return { ...chosen, services: { ...base.services, ...services }, watch: { ...base.watch, stepMs: stepOf(bundle) } };
}

/** The finest step of the bundle's series: what a live source would be asked for. */
export function stepOf(bundle: Bundle): number {
  const steps = bundle.series.map(({ stepMs }) => stepMs);
  return steps.length === 0 ? 15_000 : Math.min(...steps);
}
