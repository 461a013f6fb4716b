import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** One finished request that would change something, as the API server's own audit log holds it. */
export interface AuditedWrite {
  readonly at: number;
  readonly user: string;
  readonly verb: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly status: number;
  readonly body: unknown;
}

/** Requests that read are not logged; nor is what the cluster's own parts write. */
const POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived", "ResponseStarted"],
  rules: [
    { level: "None", verbs: ["get", "list", "watch"] },
    { level: "Request", userGroups: ["system:serviceaccounts"] },
    { level: "None" },
  ],
};

/** Arguments that make an API server write down what service accounts write, into a file of this folder. */
export function auditArgs(directory: string): readonly string[] {
  const policy = join(directory, "audit-policy.yaml");
  writeFileSync(policy, stringify(POLICY));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${logOf(directory)}`, "--audit-log-mode=blocking-strict"];
}

interface Event {
  readonly requestReceivedTimestamp: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly namespace?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestObject?: unknown;
}

/** What was written so far by users whose name the pattern fits, refused and dry ones included, in order. */
export function auditedWrites(directory: string, by: RegExp): readonly AuditedWrite[] {
  if (!existsSync(logOf(directory))) return [];
  const lines = readFileSync(logOf(directory), "utf8").split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Event)
    .filter(({ user }) => by.test(user.username))
    .map(({ requestReceivedTimestamp, verb, requestURI, user, objectRef, responseStatus, requestObject }) => ({
      at: Date.parse(requestReceivedTimestamp),
      user: user.username,
      verb,
      namespace: objectRef?.namespace ?? "",
      resource: objectRef?.resource ?? "",
      subresource: objectRef?.subresource ?? "",
      name: objectRef?.name ?? "",
      dryRun: new URL(requestURI, "https://server").searchParams.get("dryRun") === "All",
      status: responseStatus?.code ?? 0,
      body: requestObject,
    }));
}

const logOf = (directory: string): string => join(directory, "audit.log");
