import { namesOf, type SeenWorkload } from "./evidence.ts";

/** Which service of the metrics is which workload. */
export interface MatchedServices {
  /** Services whose workload is found by its own labels or name: nothing has to be written. */
  readonly byThemselves: readonly string[];
  /** Services whose workload goes by another name in its labels: the file has to say which it is. */
  readonly toWrite: readonly { readonly service: string; readonly workload: SeenWorkload }[];
  /** Names in the metrics of which no workload is known. */
  readonly withoutWorkload: readonly string[];
  readonly withoutMetrics: readonly SeenWorkload[];
}

/**
 * Meets the services that the metrics name with the workloads that run. A workload is a service's where its labels or its
 * name say so, also written with its namespace ("shop/cart", "cart.shop"); nothing is guessed from parts of names.
 *
 * @param services values of the service label
 */
export function matchServices(services: readonly string[], workloads: readonly SeenWorkload[]): MatchedServices {
  const owned = new Set(workloads.map(({ service }) => service));
  const byThemselves = services.filter((service) => owned.has(service));
  const toWrite = services
    .filter((service) => !owned.has(service))
    .flatMap((service) => {
      const fitting = workloads.filter((one) => namesOf(one).includes(service));
      const [workload] = fitting;
      return fitting.length === 1 && workload !== undefined ? [{ service, workload }] : [];
    });
  const written = new Set(toWrite.map(({ service }) => service));
  const measured = new Set([...byThemselves, ...written]);
  const taken = new Set(toWrite.map(({ workload }) => workload));
  return {
    byThemselves,
    toWrite,
    withoutWorkload: services.filter((service) => !measured.has(service)),
    withoutMetrics: workloads.filter((one) => !measured.has(one.service) && !taken.has(one)),
  };
}

/**
 * The namespaces to watch: those in which a workload of a measured service runs; where none does, all but Kubernetes' own.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ (the prefix kube- is reserved)
 */
export function namespacesOf(services: readonly string[], workloads: readonly SeenWorkload[]): readonly string[] {
  const { withoutMetrics } = matchServices(services, workloads);
  const measured = workloads.filter((one) => !withoutMetrics.includes(one));
  const own = workloads.filter(({ namespace }) => !namespace.startsWith("kube-"));
  return [...new Set((measured.length > 0 ? measured : own).map(({ namespace }) => namespace))].toSorted();
}
