import type { ControlPlane } from "../../../../evals/real-kubernetes/control-plane.ts";

const CORE = "/api/v1/namespaces/default";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1";
const NAME = "guest";
const ACCOUNT = { name: NAME, namespace: "default" };

/** Makes a service account that may edit what is in the namespaces, and hands out its token. */
export async function guestOf({ admin }: ControlPlane): Promise<string> {
  const metadata = { name: NAME };
  await admin.must("POST", `${CORE}/serviceaccounts`, { body: { apiVersion: "v1", kind: "ServiceAccount", metadata } });
  await admin.must("POST", `${RBAC}/clusterrolebindings`, {
    body: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
      subjects: [{ kind: "ServiceAccount", ...ACCOUNT }],
    },
  });
  const { status } = await admin.must("POST", `${CORE}/serviceaccounts/${NAME}/token`, {
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
  });
  return status.token;
}

/**
 * Puts the guest's requests into a priority level without seats or queue, or out of it. Such a level still lets one request
 * in while none is under way.
 *
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
export async function turnAwayGuest({ admin }: ControlPlane, is: boolean): Promise<void> {
  if (!is) return void (await admin.must("DELETE", `${FLOW}/flowschemas/${NAME}`));
  const api = { apiVersion: "flowcontrol.apiserver.k8s.io/v1", metadata: { name: NAME } };
  const limited = {
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: "Reject" },
  };
  // Made once; the second time it is there already.
  await admin.call("POST", `${FLOW}/prioritylevelconfigurations`, {
    body: { ...api, kind: "PriorityLevelConfiguration", spec: { type: "Limited", limited } },
  });
  const everything = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
  const rule = { subjects: [{ kind: "ServiceAccount", serviceAccount: ACCOUNT }], resourceRules: [everything] };
  const spec = { matchingPrecedence: 50, priorityLevelConfiguration: { name: NAME }, rules: [rule] };
  await admin.must("POST", `${FLOW}/flowschemas`, { body: { ...api, kind: "FlowSchema", spec } });
}
