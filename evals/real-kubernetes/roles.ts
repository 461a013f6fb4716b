import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ControlPlane } from "./control-plane.ts";

/** The two service accounts that the documentation gives to an agent and to a gate. */
export type Role = "unship-read" | "unship-gate";

export interface Roles {
  /** A kubeconfig for the role, whose token stands in a file of its own. */
  readonly kubeconfig: Readonly<Record<Role, string>>;
  /** Writes a new token into the role's file, and takes the old one's validity away at once. */
  rotate(role: Role): Promise<void>;
}

/** What the documentation tells people to apply, word for word, so that it is what is tested. */
const DOCUMENT = join(import.meta.dirname, "../../docs/separation.md");
const OWN_NAMESPACE = "unship";

const PLACES: Readonly<Record<string, string>> = {
  ServiceAccount: "/api/v1/namespaces/{namespace}/serviceaccounts",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
};

/** Makes the namespace, the two accounts and their rights in it, and files with their tokens. */
export async function giveRoles(plane: ControlPlane, namespace: string): Promise<Roles> {
  const { admin, directory } = plane;
  for (const name of [OWN_NAMESPACE, namespace])
    await admin.call("POST", "/api/v1/namespaces", {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    });
  for (const object of documented()) {
    const own = object.kind === "RoleBinding" ? namespace : object.metadata.namespace;
    const body = own === undefined ? object : { ...object, metadata: { ...object.metadata, namespace: own } };
    await admin.must("POST", (PLACES[object.kind] ?? "").replace("{namespace}", own ?? ""), { body });
  }
  const issued = new Map<Role, string>();
  let count = 0;
  const tokenFile = (role: Role) => join(directory, `${role}.token`);
  const kubeconfig = (role: Role) => join(directory, `${role}.kubeconfig`);
  const rotate = async (role: Role) => {
    const before = issued.get(role);
    // A token that is bound to an object ends with it.
    const name = `${role}-${++count}`;
    const secrets = `/api/v1/namespaces/${OWN_NAMESPACE}/secrets`;
    const { metadata } = await admin.must("POST", secrets, {
      body: { apiVersion: "v1", kind: "Secret", metadata: { name } },
    });
    const { status } = await admin.must("POST", `/api/v1/namespaces/${OWN_NAMESPACE}/serviceaccounts/${role}/token`, {
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          expirationSeconds: 7200,
          boundObjectRef: { apiVersion: "v1", kind: "Secret", name, uid: metadata.uid },
        },
      },
    });
    writeFileSync(tokenFile(role), status.token, { mode: 0o600 });
    issued.set(role, name);
    if (before !== undefined) await admin.must("DELETE", `${secrets}/${before}`);
  };
  for (const role of ["unship-read", "unship-gate"] as const) {
    await rotate(role);
    writeFileSync(kubeconfig(role), plane.kubeconfig({ tokenFile: tokenFile(role) }), { mode: 0o600 });
  }
  return {
    kubeconfig: { "unship-read": kubeconfig("unship-read"), "unship-gate": kubeconfig("unship-gate") },
    rotate,
  };
}

/** What the documentation gives to the two accounts of Argo CD, in its own lines. */
export function argocdPolicy(): string {
  const policy = /```csv\n(.*?)```/s.exec(readFileSync(DOCUMENT, "utf8"))?.[1] ?? "";
  if (!policy.includes("g, unship-gate, role:unship-gate"))
    throw new Error(`${DOCUMENT} gives no account of Argo CD any right`);
  return policy;
}

interface Documented {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function documented(): readonly Documented[] {
  const blocks = [...readFileSync(DOCUMENT, "utf8").matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
  const documents = blocks.flatMap((text) => [...parseAllDocuments(text)]).map((one) => one.toJS() as Documented);
  const objects = documents.filter(({ kind }) => kind in PLACES);
  if (objects.length < 6) throw new Error(`${DOCUMENT} names ${objects.length} objects of the two roles only`);
  return objects;
}
