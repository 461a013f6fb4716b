import { type ConfigMap, type Container, namespaceOf, type Pod } from "../objects.ts";

/** Why a container cannot be started as its pod describes it. */
export class ContainerConfigError extends Error {}

/**
 * The environment of a container: `env` with values, `fieldRef` and `configMapKeyRef`, `envFrom` with ConfigMaps, and
 * `$(NAME)` expanded from what stands before. Throws `ContainerConfigError` where a ConfigMap or key is missing.
 *
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function environmentOf(
  pod: Pod,
  container: Container,
  configMap: (name: string) => ConfigMap | undefined,
): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const { prefix = "", configMapRef } of container.envFrom ?? []) {
    if (configMapRef === undefined) continue;
    const found = configMap(configMapRef.name);
    if (found === undefined && configMapRef.optional !== true)
      throw new ContainerConfigError(`configmap "${configMapRef.name}" not found`);
    for (const [key, value] of Object.entries(found?.data ?? {})) result[`${prefix}${key}`] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const ref = valueFrom?.configMapKeyRef;
    if (valueFrom?.fieldRef !== undefined) result[name] = fieldText(pod, valueFrom.fieldRef.fieldPath);
    else if (ref !== undefined) {
      const found = configMap(ref.name)?.data?.[ref.key];
      if (found !== undefined) result[name] = found;
      else if (ref.optional !== true)
        throw new ContainerConfigError(
          configMap(ref.name) === undefined
            ? `configmap "${ref.name}" not found`
            : `couldn't find key ${ref.key} in ConfigMap ${namespaceOf(pod)}/${ref.name}`,
        );
    } else result[name] = expanded(value ?? "", result);
  }
  return result;
}

function expanded(value: string, known: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\$|\$\(([^)]+)\)/g, (whole, name: string | undefined) =>
    name === undefined ? "$" : (known[name] ?? whole),
  );
}

function fieldText(pod: Pod, path: string): string {
  const [, group, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (key !== undefined) return pod.metadata[group as "labels" | "annotations"]?.[key] ?? "";
  const fields: Readonly<Record<string, string | undefined>> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.uid": pod.metadata.uid,
    "spec.nodeName": pod.spec.nodeName,
    "spec.serviceAccountName": "default",
    "status.hostIP": "127.0.0.1",
    "status.podIP": "127.0.0.1",
  };
  return fields[path] ?? "";
}
