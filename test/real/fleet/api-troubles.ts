import { setTimeout as wait } from "node:timers/promises";
import { type Fleet, NAMESPACE } from "./fleet.ts";
import { type Entry, seconds } from "./troubles.ts";
import { persist } from "./workloads.ts";

const FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1";
const NONE = "unship-gets-none";
/** More than the pages that unship reads hold: its lists have a second one. */
const BALLAST = 600;
const BALLAST_AT_ONCE = 20;
const APPS = `/apis/apps/v1/namespaces/${NAMESPACE}`;

/**
 * For a while the API server's flow control refuses (429) whatever unship's accounts ask.
 *
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
export async function throttled(fleet: Fleet, forMs: number): Promise<Entry> {
  const { admin } = fleet.plane;
  const at = Date.now();
  const api = { apiVersion: "flowcontrol.apiserver.k8s.io/v1", metadata: { name: NONE } };
  const limited = {
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: "Reject" },
  };
  const level = { ...api, kind: "PriorityLevelConfiguration", spec: { type: "Limited", limited } };
  const rule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
  const subjects = [{ kind: "Group", group: { name: "system:serviceaccounts:unship" } }];
  const schema = {
    ...api,
    kind: "FlowSchema",
    spec: {
      matchingPrecedence: 50,
      priorityLevelConfiguration: { name: NONE },
      rules: [{ subjects, resourceRules: [rule] }],
    },
  };
  const refused = () =>
    sumOf(fleet, (line) => line.startsWith("apiserver_flowcontrol_rejected_requests_total") && line.includes(NONE));
  await persist(() => admin.must("POST", `${FLOW}/prioritylevelconfigurations`, { body: level }));
  await persist(() => admin.must("POST", `${FLOW}/flowschemas`, { body: schema }));
  await wait(forMs);
  const count = await refused();
  await persist(() => admin.must("DELETE", `${FLOW}/flowschemas/${NONE}`));
  await persist(() => admin.must("DELETE", `${FLOW}/prioritylevelconfigurations/${NONE}`));
  return {
    kind: "flow control (429)",
    service: "-",
    at,
    act: null,
    happened: `${count} requests refused in ${seconds(forMs)}`,
    wrong: count > 0 ? [] : ["the harness refused nothing"],
  };
}

/** For a while the lists of unship have two pages, and etcd forgets between them: the second one is expired (410). */
export async function expiredLists(fleet: Fleet, forMs: number): Promise<Entry> {
  const { admin } = fleet.plane;
  const at = Date.now();
  const names = Array.from({ length: BALLAST }, (_, index) => `ballast-${index}`);
  const each = async (act: (name: string) => Promise<unknown>) => {
    for (let from = 0; from < names.length; from += BALLAST_AT_ONCE)
      await Promise.all(names.slice(from, from + BALLAST_AT_ONCE).map((name) => persist(() => act(name))));
  };
  const kind = { apiVersion: "apps/v1", kind: "ControllerRevision", revision: 1, data: { holds: "nothing" } };
  await each((name) => admin.must("POST", `${APPS}/controllerrevisions`, { body: { ...kind, metadata: { name } } }));
  const expired = () =>
    sumOf(
      fleet,
      (line) =>
        line.startsWith("apiserver_request_total") && line.includes('code="410"') && line.includes('verb="LIST"'),
    );
  const before = await expired();
  for (const end = Date.now() + forMs; Date.now() < end; ) {
    const body = { metadata: { annotations: { mark: String(Date.now()) } } };
    await persist(() =>
      admin.must("PATCH", `${APPS}/controllerrevisions/ballast-0`, { body, type: "application/merge-patch+json" }),
    );
    await fleet.plane.compact();
  }
  const count = (await expired()) - before;
  await each((name) => admin.must("DELETE", `${APPS}/controllerrevisions/${name}`));
  return {
    kind: "expired lists (410)",
    service: "-",
    at,
    act: null,
    happened: `${count} pages expired in ${seconds(forMs)}`,
    wrong: count > 0 ? [] : ["no page expired"],
  };
}

/** The sum of the API server's own counters whose lines fit. */
async function sumOf(fleet: Fleet, fits: (line: string) => boolean): Promise<number> {
  const text = await persist(() => fleet.plane.admin.must("GET", "/metrics"));
  const lines = String(text).split("\n").filter(fits);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
