import type { Config } from "../../core/config/config.ts";

/** A workload as metrics or addresses name it; `namespace` "": not known. */
export interface NamedWorkload {
  readonly name: string;
  readonly namespace: string;
  /** The workload's own name, where `name` is that of what it serves. */
  readonly workload?: string;
}

/**
 * Which service a workload is, by the names that unship uses: the configured service whose workload it is, or the one of
 * its name in its namespace. A namesake in another namespace is told apart by it, "cart.staging". Null: nobody says, and
 * it goes by its own name.
 */
export function createServiceNames(config: Config): (workload: NamedWorkload) => string | null {
  const configured = Object.entries(config.services).map(([service, { namespace, workload }]) => ({
    service,
    workload: workload?.name ?? null,
    namespace: namespace ?? (workload === null ? null : "default"),
  }));
  const watched = new Set(
    config.dataSources.deployments.flatMap((source) => (source.type === "argocd_webhook" ? [] : source.namespaces)),
  );
  return ({ name, namespace, workload = name }) => {
    const isIn = (one: { readonly namespace: string | null }) =>
      namespace === "" || one.namespace === null || one.namespace === namespace;
    const byWorkload = configured.filter((one) => one.workload === workload && isIn(one));
    if (byWorkload.length === 1) return byWorkload[0]?.service ?? null;
    const byName = configured.find(({ service }) => service === name);
    if (byName !== undefined && isIn(byName)) return name;
    if (namespace === "") return null;
    if (byName !== undefined) return `${name}.${namespace}`;
    if (watched.size === 0 || watched.has("*")) return null;
    return watched.has(namespace) ? name : `${name}.${namespace}`;
  };
}
