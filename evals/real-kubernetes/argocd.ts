import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { kubeApi } from "./api.ts";
import type { ControlPlane } from "./control-plane.ts";
import { freePorts } from "./free-ports.ts";
import { makeKinds } from "./kinds.ts";
import { ARGOCD_CONFIG, ARGOCD_CRDS, type RealParts } from "./parts.ts";
import { startProgram } from "./program.ts";

/** A real Argo CD beside a control plane: server, repo-server and application-controller, and a Redis of its own. */
export interface ArgoCd extends AsyncDisposable {
  readonly url: URL;
  /** A token of one of the accounts that were asked for. */
  token(account: string): string;
}

export interface ArgoCdOptions {
  readonly parts: RealParts;
  readonly directory: string;
  /** Local accounts that get a token each. */
  readonly accounts: readonly string[];
  /** Their rights, in Argo CD's own lines (`policy.csv`). */
  readonly policy: string;
}

const NAMESPACE = "argocd";
export const APPLICATIONS = `/apis/argoproj.io/v1alpha1/namespaces/${NAMESPACE}/applications`;
/** How often Git is looked at; by default three minutes. */
const RECONCILIATION = "15s";

/** Makes Argo CD's kinds and its base configuration, both from its own module, and starts it. Needs Debian's redis-server. */
export async function startArgoCd(
  { admin, kubeconfigPath }: Pick<ControlPlane, "admin" | "kubeconfigPath">,
  options: ArgoCdOptions,
): Promise<ArgoCd> {
  const own = new AsyncDisposableStack();
  try {
    return await start({ admin, kubeconfigPath }, options, own);
  } catch (error) {
    await own.disposeAsync();
    throw error;
  }
}

async function start(
  { admin, kubeconfigPath }: Pick<ControlPlane, "admin" | "kubeconfigPath">,
  { parts, directory, accounts, policy }: ArgoCdOptions,
  own: AsyncDisposableStack,
): Promise<ArgoCd> {
  await makeKinds(admin, parts.program(ARGOCD_CRDS));
  const base = parts.program(ARGOCD_CONFIG);
  const documents = readdirSync(base).map((file) => parse(readFileSync(join(base, file), "utf8")));
  const metadata = { name: NAMESPACE };
  await admin.must("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata } });
  const more: Readonly<Record<string, object>> = {
    "argocd-cm": {
      "timeout.reconciliation": RECONCILIATION,
      ...Object.fromEntries(accounts.map((name) => [`accounts.${name}`, "apiKey"])),
    },
    "argocd-rbac-cm": { "policy.csv": policy },
  };
  const redisSecret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "argocd-redis" },
    stringData: { auth: "" },
  };
  for (const object of [...documents, redisSecret]) {
    const body = {
      ...object,
      ...(object.metadata.name in more ? { data: { ...object.data, ...more[object.metadata.name] } } : {}),
    };
    await admin.must("POST", `/api/v1/namespaces/${NAMESPACE}/${object.kind.toLowerCase()}s`, { body });
  }

  const home = join(directory, "argocd");
  const folders = ["TLS_DATA_PATH", "SSH_DATA_PATH", "GNUPGHOME", "GPG_DATA_PATH", "PLUGINSOCKFILEPATH"];
  for (const name of folders) mkdirSync(join(home, name), { recursive: true, mode: 0o700 });
  // It takes its own namespace from the kubeconfig.
  const kubeconfig = parse(readFileSync(kubeconfigPath, "utf8"));
  kubeconfig.contexts[0].context.namespace = NAMESPACE;
  const ownKubeconfig = join(home, "kubeconfig");
  writeFileSync(ownKubeconfig, stringify(kubeconfig), { mode: 0o600 });
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  const env = {
    TMPDIR: temporary,
    ...Object.fromEntries(folders.map((name) => [`ARGOCD_${name}`, join(home, name)])),
    ARGOCD_FAKE_IN_CLUSTER: "true",
    ARGOCD_GPG_ENABLED: "false",
    KUBECONFIG: ownKubeconfig,
  };
  const [redis = 0, repo = 0, repoMetrics, controllerMetrics, server, serverMetrics] = await freePorts(6);
  const program = async (name: string, path: string, args: readonly string[], ready: () => Promise<boolean>) =>
    own.use(await startProgram({ name, path, args, env, logFile: join(directory, `${name}.log`), ready }));
  const healthy = (port: number | undefined) => async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  await program(
    "redis-server",
    "redis-server",
    ["--port", String(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", home],
    async () => true,
  );
  await Promise.all([
    program(
      "argocd-repo-server",
      parts.program("argocd-repo-server"),
      [
        "--address=127.0.0.1",
        `--port=${repo}`,
        "--metrics-address=127.0.0.1",
        `--metrics-port=${repoMetrics}`,
        `--redis=127.0.0.1:${redis}`,
      ],
      healthy(repoMetrics),
    ),
    program(
      "argocd-application-controller",
      parts.program("argocd-application-controller"),
      [
        `--redis=127.0.0.1:${redis}`,
        `--repo-server=127.0.0.1:${repo}`,
        `--metrics-port=${controllerMetrics}`,
        "--app-resync=15",
      ],
      healthy(controllerMetrics),
    ),
    program(
      "argocd-server",
      parts.program("argocd-server"),
      [
        "--insecure",
        "--address=127.0.0.1",
        `--port=${server}`,
        "--metrics-address=127.0.0.1",
        `--metrics-port=${serverMetrics}`,
        `--redis=127.0.0.1:${redis}`,
        `--repo-server=127.0.0.1:${repo}`,
      ],
      healthy(server),
    ),
  ]);
  const url = new URL(`http://127.0.0.1:${server}`);
  const tokens = await tokensOf(url, accounts, async () => {
    const secret = await admin.must("GET", `/api/v1/namespaces/${NAMESPACE}/secrets/argocd-initial-admin-secret`);
    return Buffer.from(secret.data.password, "base64").toString();
  });
  return {
    url,
    token(account) {
      const found = tokens.get(account);
      if (found === undefined) throw new Error(`Argo CD was started without an account ${account}`);
      return found;
    },
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** As the administrator, whose password Argo CD made itself. */
async function tokensOf(
  url: URL,
  accounts: readonly string[],
  password: () => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  await using anybody = kubeApi({ url });
  const body = { username: "admin", password: await password() };
  const { token } = await anybody.must("POST", "/api/v1/session", { body });
  await using administrator = kubeApi({ url, token });
  const tokens = new Map<string, string>();
  for (const name of accounts) {
    const made = await administrator.must("POST", `/api/v1/account/${name}/token`, { body: { name } });
    tokens.set(name, made.token);
  }
  return tokens;
}
