import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { HttpOptions } from "../http.ts";

/** Where a cluster is and how to be let in. Everything in it but `server` and `namespace` may be secret. */
export interface ClusterAccess {
  readonly server: URL;
  /** Of the chosen context; "default" where it names none. */
  readonly namespace: string;
  readonly http: Pick<HttpOptions, "headers" | "ca" | "clientCertificate" | "serverName" | "insecureSkipTlsVerify">;
}

const Text = z.string().optional();
const Cluster = z.looseObject({
  server: z.string(),
  "certificate-authority": Text,
  "certificate-authority-data": Text,
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": Text,
  "proxy-url": Text,
});
const User = z.looseObject({
  token: Text,
  tokenFile: Text,
  username: Text,
  password: Text,
  "client-certificate": Text,
  "client-certificate-data": Text,
  "client-key": Text,
  "client-key-data": Text,
  exec: z.looseObject({ command: Text }).nullish(),
  "auth-provider": z.looseObject({ name: Text }).nullish(),
});
const Context = z.looseObject({ cluster: z.string(), user: z.string().default(""), namespace: Text });
const Kubeconfig = z.looseObject({
  "current-context": z.string().default(""),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: Cluster })).default([]),
  contexts: z.array(z.looseObject({ name: z.string(), context: Context })).default([]),
  users: z.array(z.looseObject({ name: z.string(), user: User.nullable() })).default([]),
});
type Cluster = z.infer<typeof Cluster>;
type User = z.infer<typeof User>;

/**
 * Reads a kubeconfig file. `context` null: its current one. Paths in it count from its own folder, and a token file is
 * read anew for each request, as the format asks. Plain http is allowed (a loopback proxy, the sandbox).
 *
 * Throws `config.unreadable` naming what is missing; so for programs that hand out credentials (`exec`,
 * `auth-provider`) and proxies, which are not supported: unship starts no programs of others.
 *
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function readKubeconfig(file: string, context: string | null): ClusterAccess {
  return parseKubeconfig(readText(file, file), file, context);
}

/** As `readKubeconfig`, from text; `file` is its place, for relative paths and for messages. */
export function parseKubeconfig(text: string, file: string, context: string | null): ClusterAccess {
  const problem = (reason: string): never => {
    throw new UnshipError("config.unreadable", { file, reason });
  };
  const parsed = Kubeconfig.safeParse(yamlOf(text));
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole file");
    return problem(`it is no kubeconfig: check ${[...new Set(where)].slice(0, 3).join(", ")}`);
  }
  const config = parsed.data;
  const name = context ?? config["current-context"];
  const known = config.contexts.map((one) => one.name).join(", ") || "none";
  const chosen = config.contexts.find((one) => one.name === name)?.context;
  if (chosen === undefined) return problem(`it has no context "${name}"; known are: ${known}`);
  const cluster = config.clusters.find((one) => one.name === chosen.cluster)?.cluster;
  if (cluster === undefined)
    return problem(`its context "${name}" names the cluster "${chosen.cluster}", which it lacks`);
  const user = chosen.user === "" ? null : config.users.find((one) => one.name === chosen.user)?.user;
  if (user === undefined) return problem(`its context "${name}" names the user "${chosen.user}", which it lacks`);
  const refused = unsupported(cluster, user, chosen.user);
  if (refused !== null) return problem(refused);
  if (!URL.canParse(cluster.server) || !/^https?:$/.test(new URL(cluster.server).protocol))
    return problem(`the server of its cluster "${chosen.cluster}" is no http or https address`);
  return {
    server: new URL(cluster.server),
    namespace: chosen.namespace ?? "default",
    http: { ...tls(cluster, user, file), ...credentials(user, file) },
  };
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Access from inside a pod, by its service account: for when there is no kubeconfig. Throws `config.unreadable` where
 * the account's files are missing, which means that this is no pod.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 */
export function inClusterAccess(folder = SERVICE_ACCOUNT): ClusterAccess {
  const token = resolve(folder, "token");
  readText(token, token);
  return {
    server: new URL("https://kubernetes.default.svc"),
    namespace: readText(resolve(folder, "namespace"), folder).trim() || "default",
    http: { ca: readText(resolve(folder, "ca.crt"), folder), headers: bearerFrom(token) },
  };
}

function unsupported(cluster: Cluster, user: User | null, userName: string): string | null {
  const instead = "give it the token or certificate of a service account instead";
  if (user?.exec)
    return `its user "${userName}" gets credentials by running "${user.exec.command ?? "a program"}" (exec), and unship starts no programs: ${instead}`;
  if (user?.["auth-provider"])
    return `its user "${userName}" uses the auth-provider "${user["auth-provider"].name ?? ""}", which Kubernetes removed in 1.26: ${instead}`;
  return cluster["proxy-url"] === undefined ? null : "its cluster is behind a proxy-url, which is not supported";
}

function tls(cluster: Cluster, user: User | null, file: string): ClusterAccess["http"] {
  const ca = pem(cluster["certificate-authority-data"], cluster["certificate-authority"], file);
  const cert = pem(user?.["client-certificate-data"], user?.["client-certificate"], file);
  const key = pem(user?.["client-key-data"], user?.["client-key"], file);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { clientCertificate: { cert, key } }),
    ...(cluster["tls-server-name"] === undefined ? {} : { serverName: cluster["tls-server-name"] }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecureSkipTlsVerify: true } : {}),
  };
}

/** As client-go orders them: a token file before a token, both before a name and password. */
function credentials(user: User | null, file: string): ClusterAccess["http"] {
  if (user?.tokenFile !== undefined) return { headers: bearerFrom(resolve(dirname(file), user.tokenFile)) };
  if (user?.token !== undefined) return { headers: { authorization: `Bearer ${user.token}` } };
  if (user?.username === undefined) return {};
  const pair = Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64");
  return { headers: { authorization: `Basic ${pair}` } };
}

function bearerFrom(tokenFile: string) {
  return async () => ({ authorization: `Bearer ${readText(tokenFile, tokenFile).trim()}` });
}

function pem(data: string | undefined, path: string | undefined, file: string): string | undefined {
  if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString("utf8");
  return path === undefined || path === "" ? undefined : readText(resolve(dirname(file), path), file);
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new UnshipError("config.unreadable", { file, reason: `${path}: ${code}` }, { cause });
  }
}

function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
