import { isMap, mapAt } from "../checks/check.ts";
import type { Config } from "../config.ts";
import type { Path } from "../yaml-tree.ts";

/** What a name of the file has to be. `any`: a service, workload, application or flag. */
export type NameKind = "service" | "workload" | "namespace" | "application" | "flag" | "any";

/** A name that the file expects somewhere in the live system, and where it stands. */
export interface Named {
  readonly kind: NameKind;
  readonly name: string;
  readonly path: Path;
  readonly at: "key" | "value";
  /** Of a workload: where it should run, and as what. */
  readonly workload?: { readonly kind: string; readonly namespace: string };
}

/**
 * Every name in a configuration that something in the live system has to bear, in the file's order within each part.
 * `raw`: the file as written, which says whether a list is one or stands for its only member.
 */
export function namedIn(config: Config, raw: unknown): readonly Named[] {
  return [
    ...watchedNamespaces(config, raw),
    ...config.dataSources.migrations.map(({ service }, index) =>
      value("service", service, ["data_sources", "migrations", index, "service"]),
    ),
    ...Object.entries(config.services).flatMap(([service, described]) => ofService(service, described)),
    ...inTopology(config),
    ...config.allowedActions.flatMap(({ namespaces, applications }, index) => [
      ...list("namespace", namespaces, ["execution", "allowed_actions", index, "namespaces"]),
      ...list("application", applications, ["execution", "allowed_actions", index, "applications"]),
    ]),
    ...list("any", config.guardrails.neverAutoRollback, ["execution", "guardrails", "never_auto_rollback"]),
    ...config.freezeWindows.flatMap(({ services }, index) =>
      list("any", services, ["freeze_windows", index, "services"]),
    ),
    ...config.approvers.flatMap(({ services }, index) => list("service", services, ["approvers", index, "services"])),
    ...config.approval.twoPersons.flatMap(({ services }, index) =>
      list("service", services, ["approval", "two_persons", index, "services"]),
    ),
  ];
}

function watchedNamespaces({ dataSources }: Config, raw: unknown): readonly Named[] {
  const written = mapAt(raw, "data_sources").deployments;
  const at: Path = ["data_sources", "deployments"];
  return dataSources.deployments.flatMap((source, index) =>
    source.type === "kubernetes"
      ? list("namespace", source.namespaces, [...at, ...(isMap(written) ? [] : [index]), "namespaces"])
      : [],
  );
}

function ofService(service: string, { namespace, workload, argocdApplication, flags }: Config["services"][string]) {
  const at: Path = ["services", service];
  return [
    { kind: "service", name: service, path: at, at: "key" } as const,
    ...(namespace === null ? [] : [value("namespace", namespace, [...at, "namespace"])]),
    ...(workload === null
      ? []
      : [
          {
            ...value("workload", workload.name, [...at, "workload", "name"]),
            workload: { kind: workload.kind, namespace: namespace ?? "default" },
          },
        ]),
    ...(argocdApplication === null ? [] : [value("application", argocdApplication, [...at, "argocd_application"])]),
    ...list("flag", flags, [...at, "flags"]),
  ];
}

/** Nodes of the graph; external ones have no metrics and nothing that runs here. */
function inTopology({ topology }: Config): readonly Named[] {
  if (topology === null) return [];
  return topology.edges.flatMap((ends, edge) =>
    ends.flatMap((end, index) =>
      topology.external.includes(end) ? [] : [value("service", end, ["topology", "edges", edge, index])],
    ),
  );
}

const value = (kind: NameKind, name: string, path: Path): Named => ({ kind, name, path, at: "value" });

/** "*" stands for all there are. */
const list = (kind: NameKind, names: readonly string[] | null, path: Path): readonly Named[] =>
  (names ?? []).flatMap((name, index) => (name === "*" ? [] : [value(kind, name, [...path, index])]));
