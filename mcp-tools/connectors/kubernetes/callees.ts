import { z } from "zod";
import { type Address, addressesIn, expanded, type NamedValue } from "./addresses.ts";
import type { PodTemplate, ServiceObject } from "./objects.ts";

const Ref = z.looseObject({ name: z.string().default("") }).nullish();
const Container = z.looseObject({
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        value: z.string().nullish(),
        valueFrom: z
          .looseObject({ configMapKeyRef: z.looseObject({ name: z.string().default(""), key: z.string() }).nullish() })
          .nullish(),
      }),
    )
    .nullish(),
  envFrom: z.array(z.looseObject({ prefix: z.string().nullish(), configMapRef: Ref })).nullish(),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
});
const Template = z.looseObject({ spec: z.looseObject({ containers: z.array(Container).nullish() }).nullish() });
type Container = z.infer<typeof Container>;

/** The values of a ConfigMap by its name, in the namespace of the template; undefined: not read. */
export type ConfigMaps = (name: string) => Readonly<Record<string, string>> | undefined;

/** Names of the ConfigMaps whose values become variables of a template's containers. Never a Secret's. */
export function variableMapsOf(template: PodTemplate): readonly string[] {
  const names = containersOf(template).flatMap(({ env, envFrom }) => [
    ...(env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? ""),
    ...(envFrom ?? []).map(({ configMapRef }) => configMapRef?.name ?? ""),
  ]);
  return [...new Set(names)].filter((name) => name !== "");
}

/** The addresses in the variables and arguments of a template's containers; not in those that only prepare its start. */
export function addressesOf(
  template: PodTemplate,
  maps: ConfigMaps,
  serviceHost: (variable: string) => string | undefined,
): readonly Address[] {
  return containersOf(template).flatMap((container) => {
    const variables = variablesOf(container, maps, serviceHost);
    const known = (name: string) => variables.get(name) ?? serviceHost(name);
    const words = [...(container.command ?? []), ...(container.args ?? [])].map((value) => expanded(value, known));
    const named: NamedValue[] = [
      ...[...variables].map(([name, value]) => ({ name, value })),
      // "--catalog" "catalog:8080": an argument is named by the one before it.
      ...words.map((value, i) => ({
        name: /^--?[\w.-]+$/.exec(words[i - 1] ?? "")?.[0].replace(/^-+/, "") ?? "",
        value,
      })),
    ];
    return named.flatMap(addressesIn);
  });
}

function variablesOf(container: Container, maps: ConfigMaps, serviceHost: (name: string) => string | undefined) {
  const variables = new Map<string, string>();
  for (const { prefix, configMapRef } of container.envFrom ?? [])
    for (const [key, value] of Object.entries(maps(configMapRef?.name ?? "") ?? {}))
      variables.set(`${prefix ?? ""}${key}`, value);
  for (const { name, value, valueFrom } of container.env ?? []) {
    const from = valueFrom?.configMapKeyRef;
    const found = value ?? (from ? maps(from.name)?.[from.key] : undefined);
    if (found === undefined) variables.delete(name);
    else
      variables.set(
        name,
        expanded(found, (other) => variables.get(other) ?? serviceHost(other)),
      );
  }
  return variables;
}

function containersOf(template: PodTemplate): readonly Container[] {
  const parsed = Template.safeParse(template);
  return parsed.success ? (parsed.data.spec?.containers ?? []) : [];
}

/** What an address reaches: a Service of the cluster, a host outside of it, or nothing that is known. */
export type Reached =
  | { readonly kind: "service"; readonly service: ServiceObject }
  | { readonly kind: "outside"; readonly host: string }
  | null;

/**
 * The Services of a cluster, as its DNS names them: `name` (of the asking namespace), `name.namespace` and
 * `name.namespace.svc`, with or without the cluster's domain.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
export function createServiceDirectory(services: readonly ServiceObject[]) {
  const byName = new Map(services.map((one) => [`${one.metadata.name}.${one.metadata.namespace}`, one]));
  const byVariable = new Map(
    services.map((one) => [`${one.metadata.name.toUpperCase().replaceAll("-", "_")}.${one.metadata.namespace}`, one]),
  );
  return {
    /** The host behind `CATALOG_SERVICE_HOST`, which Kubernetes sets in each pod of a Service's namespace. */
    hostOf(variable: string, namespace: string): string | undefined {
      const [, name] = /^([A-Z0-9_]+)_SERVICE_HOST$/.exec(variable) ?? [];
      return name === undefined ? undefined : byVariable.get(`${name}.${namespace}`)?.metadata.name;
    },
    reached({ host, port, hasScheme }: Address, namespace: string): Reached {
      const labels = host.split(".");
      const [name = "", place = namespace, svc] = labels;
      const service = svc === undefined || svc === "svc" ? byName.get(`${name}.${place}`) : undefined;
      if (service !== undefined) return answersAt(service, port) ? { kind: "service", service } : null;
      const isInside = svc === "svc" || /(^|\.)(localhost|cluster\.local)$/.test(host);
      return hasScheme && labels.length > 1 && !isInside ? { kind: "outside", host } : null;
    },
  };
}

/** A port that the Service does not have is no address of it ("redis:7" is an image); a headless one has its pods' ports. */
function answersAt({ spec }: ServiceObject, port: number | null): boolean {
  return port === null || spec.clusterIP === "None" || spec.ports.some((one) => one.port === port);
}
