import type { Json, JsonObject } from "../json.ts";
import { apiVersionOf, RESOURCES, type Resource } from "../resources.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const GROUP_APPS = {
  name: "apps",
  versions: [{ groupVersion: "apps/v1", version: "v1" }],
  preferredVersion: { groupVersion: "apps/v1", version: "v1" },
};

/**
 * The answers of discovery, by path, in the form that every client understands (not the aggregated one).
 *
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
export function discoveryAt(path: string): JsonObject | undefined {
  switch (path) {
    case "/api":
      return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
    case "/apis":
      return { kind: "APIGroupList", apiVersion: "v1", groups: [GROUP_APPS] };
    case "/apis/apps":
      return { kind: "APIGroup", apiVersion: "v1", ...GROUP_APPS };
    case "/api/v1":
      return resourceList("v1", "");
    case "/apis/apps/v1":
      return resourceList("apps/v1", "apps");
    case "/version":
      return VERSION;
    case "/openapi/v3":
      return {
        paths: Object.fromEntries(
          ["api/v1", "apis/apps/v1"].map((at) => [at, { serverRelativeURL: `/openapi/v3/${at}` }]),
        ),
      };
    case "/openapi/v3/api/v1":
      return openapi("");
    case "/openapi/v3/apis/apps/v1":
      return openapi("apps");
    default:
      return undefined;
  }
}

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.3+sandbox",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "sandbox/any",
};

function resourceList(groupVersion: string, group: string): JsonObject {
  const resources = RESOURCES.filter((resource) => resource.group === group).flatMap(described);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

function described({
  plural,
  singular,
  kind,
  namespaced,
  shortNames,
  categories,
  subresources,
}: Resource): readonly Json[] {
  const base = { name: plural, singularName: singular, namespaced, kind, verbs: VERBS };
  return [
    {
      ...base,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    },
    ...subresources.map((name) => ({
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      ...(name === "scale" ? { group: "autoscaling", version: "v1", kind: "Scale" } : { kind }),
      verbs: ["get", "patch", "update"],
    })),
  ];
}

/**
 * As much of OpenAPI v3 as `kubectl apply` reads: that PATCH takes `fieldValidation`. Schemas are left out, so
 * kubectl computes its strategic merges from the types that it was built with.
 */
function openapi(group: string): JsonObject {
  const parameters = ["dryRun", "fieldManager", "fieldValidation"].map((name) => ({
    name,
    in: "query",
    schema: { type: "string", uniqueItems: true },
  }));
  const paths = RESOURCES.filter((resource) => resource.group === group).map((resource) => {
    const prefix = group === "" ? "/api/v1" : `/apis/${apiVersionOf(resource)}`;
    const at = `${prefix}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}/{name}`;
    const action = {
      "x-kubernetes-group-version-kind": { group, version: resource.version, kind: resource.kind },
      parameters,
      responses: { 200: { description: "OK" } },
    };
    return [at, { patch: { ...action, "x-kubernetes-action": "patch" } }] as const;
  });
  return {
    openapi: "3.0.0",
    info: { title: "unship sandbox", version: VERSION.gitVersion },
    paths: Object.fromEntries(paths),
    components: { schemas: {} },
  };
}
