import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type KubeApi, kubeApi } from "./api.ts";
import { auditArgs } from "./audit.ts";
import { freePorts } from "./free-ports.ts";
import type { RealParts } from "./parts.ts";
import { type Program, startProgram } from "./program.ts";
import { startRolloutsController } from "./rollouts.ts";
import { podStages } from "./stages.ts";

export interface ControlPlaneOptions {
  readonly parts: RealParts;
  /** For everything that it writes; made if missing. */
  readonly directory: string;
  /** Nodes that hold most pods; default 3. */
  readonly nodes?: number;
  /** A node of its own kwok beside them, which a test may lose; default none. */
  readonly edgeNode?: boolean;
  /** How long a node may be silent before it is called lost, s (Kubernetes' own default: 50). */
  readonly nodeGraceSeconds?: number;
  /** How long pods stay on a lost node, s (Kubernetes' own default: 300). */
  readonly evictionSeconds?: number;
  /** Further arguments of the API server. */
  readonly apiServerArgs?: readonly string[];
  /** Whether Argo Rollouts' controller runs too; its kinds are made first. */
  readonly rollouts?: boolean;
}

/** A real Kubernetes control plane on loopback ports of its own; kwok answers for the kubelets. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: URL;
  /** PEM of the authority that signed the API server's certificate. */
  readonly ca: string;
  /** With every right. */
  readonly admin: KubeApi;
  readonly kubeconfigPath: string;
  readonly directory: string;
  readonly etcd: Program;
  readonly apiServer: Program;
  readonly controllerManager: Program;
  readonly scheduler: Program;
  readonly kwok: Program;
  /** Answers for the edge node alone; null without one. Killed, its node is lost; started again, it is back. */
  readonly edge: Program | null;
  /** Argo Rollouts' controller; null without it. */
  readonly rollouts: Program | null;
  /** Lets etcd forget how things stood at every earlier version. */
  compact(): Promise<void>;
  /** A kubeconfig with this token, or with a file that holds it. */
  kubeconfig(user: { readonly token: string } | { readonly tokenFile: string }): string;
}

export const EDGE_NODE = "edge";
/** Its lease; kwok renews it four times within that. */
const LEASE_SECONDS = 40;
const EDGE_TAINT = { key: "shop.example/edge", effect: "NoSchedule" };

/**
 * etcd, API server, controller manager, scheduler and kwok, as `npm run real-parts` obtained them. Ready when nodes are
 * and the default service account exists. Service accounts and their tokens work; no pod is given one (the admission
 * plugin is off, since nothing in a pod of kwok's runs).
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const own = new AsyncDisposableStack();
  try {
    const plane = await startAll(options, own);
    await makeNodes(plane, options);
    const rollouts = options.rollouts === true ? own.use(await startRolloutsController(plane, options)) : null;
    return { ...plane, rollouts, [Symbol.asyncDispose]: () => own.disposeAsync() };
  } catch (error) {
    await own.disposeAsync();
    throw error;
  }
}

async function startAll(options: ControlPlaneOptions, own: AsyncDisposableStack) {
  const { parts, directory, nodeGraceSeconds = 50, evictionSeconds = 300, apiServerArgs = [] } = options;
  const pki = join(directory, "pki");
  mkdirSync(pki, { recursive: true });
  const [api, etcdClient, etcdPeer, manager, scheduling] = await freePorts(5);
  const token = randomBytes(16).toString("hex");
  writeFileSync(join(pki, "tokens.csv"), `${token},admin,1,"system:masters"\n`, { mode: 0o600 });
  writeServiceAccountKey(pki);
  const url = new URL(`https://127.0.0.1:${api}`);
  const etcdUrl = `http://127.0.0.1:${etcdClient}`;
  const peerUrl = `http://127.0.0.1:${etcdPeer}`;
  const kubeconfigPath = join(directory, "kubeconfig");
  const stagesPath = join(directory, "stages.yaml");
  writeFileSync(stagesPath, podStages());

  const program = async (name: string, binary: string, args: readonly string[], ready: () => Promise<boolean>) =>
    own.use(
      await startProgram({ name, path: parts.program(binary), args, logFile: join(directory, `${name}.log`), ready }),
    );
  const answers = async (address: string) => (await fetch(address)).ok;

  const etcd = await program(
    "etcd",
    "etcd",
    [
      `--data-dir=${join(directory, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
    ],
    () => answers(`${etcdUrl}/readyz`),
  );
  const readyz = async () => {
    await using asked = kubeApi({ url, token, ca: readFileSync(join(pki, "apiserver.crt"), "utf8") });
    return (await asked.call("GET", "/readyz")).status === 200;
  };
  const apiServer = await program(
    "kube-apiserver",
    "kube-apiserver",
    [
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${api}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--cert-dir=${pki}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(pki, "sa.pub")}`,
      `--service-account-signing-key-file=${join(pki, "sa.key")}`,
      `--token-auth-file=${join(pki, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--disable-admission-plugins=ServiceAccount",
      "--endpoint-reconciler-type=none",
      `--default-not-ready-toleration-seconds=${evictionSeconds}`,
      `--default-unreachable-toleration-seconds=${evictionSeconds}`,
      ...auditArgs(directory),
      ...apiServerArgs,
    ],
    readyz,
  );
  const ca = readFileSync(join(pki, "apiserver.crt"), "utf8");
  const kubeconfig: ControlPlane["kubeconfig"] = (user) => kubeconfigText(url, join(pki, "apiserver.crt"), user);
  writeFileSync(kubeconfigPath, kubeconfig({ token }), { mode: 0o600 });
  const admin = own.use(kubeApi({ url, token, ca }));

  const kwok = (name: string, nodes: string) =>
    program(
      name,
      "kwok",
      [
        `--kubeconfig=${kubeconfigPath}`,
        `--manage-nodes-with-label-selector=${NODE_GROUP}=${nodes}`,
        `--node-lease-duration-seconds=${LEASE_SECONDS}`,
        `--config=${stagesPath}`,
      ],
      async () => true,
    );
  const running = async (port: number | undefined) => {
    await using health = kubeApi({ url: new URL(`https://127.0.0.1:${port}`), insecure: true });
    return (await health.call("GET", "/healthz")).status === 200;
  };
  const [controllerManager, scheduler, ordinary, edge] = await Promise.all([
    program(
      "kube-controller-manager",
      "kube-controller-manager",
      [
        `--kubeconfig=${kubeconfigPath}`,
        `--service-account-private-key-file=${join(pki, "sa.key")}`,
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        `--secure-port=${manager}`,
        `--cert-dir=${join(pki, "manager")}`,
        `--node-monitor-grace-period=${nodeGraceSeconds}s`,
      ],
      () => running(manager),
    ),
    program(
      "kube-scheduler",
      "kube-scheduler",
      [
        `--kubeconfig=${kubeconfigPath}`,
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        `--secure-port=${scheduling}`,
        `--cert-dir=${join(pki, "scheduler")}`,
      ],
      () => running(scheduling),
    ),
    kwok("kwok", "ordinary"),
    options.edgeNode === true ? kwok("kwok-edge", EDGE_NODE) : null,
  ]);
  const ask = async (path: string, body: object) => {
    const answer = await fetch(`${etcdUrl}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) });
    return (await answer.json()) as { readonly header?: { readonly revision?: string } };
  };
  return {
    async compact() {
      // By etcd's gateway for JSON. @see https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
      const { header } = await ask("range", { key: "AA==" });
      await ask("compaction", { revision: header?.revision });
    },
    url,
    ca,
    admin,
    kubeconfigPath,
    directory,
    kubeconfig,
    etcd,
    apiServer,
    controllerManager,
    scheduler,
    kwok: ordinary,
    edge,
  };
}

/** By which kwok a node is answered for. */
const NODE_GROUP = "shop.example/nodes";
const POLL_MS = 50;
const PATIENCE_MS = 60_000;

async function makeNodes(
  { admin }: Pick<ControlPlane, "admin">,
  { nodes = 3, edgeNode = false }: ControlPlaneOptions,
): Promise<void> {
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`);
  for (const name of [...names, ...(edgeNode ? [EDGE_NODE] : [])]) {
    const own = name === EDGE_NODE;
    const labels = { [NODE_GROUP]: own ? EDGE_NODE : "ordinary", "kubernetes.io/hostname": name };
    await admin.must("POST", "/api/v1/nodes", {
      body: {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name, labels },
        spec: own ? { taints: [EDGE_TAINT] } : {},
      },
    });
    const capacity = { cpu: "64", memory: "256Gi", pods: "500" };
    await admin.must("PATCH", `/api/v1/nodes/${name}/status`, {
      type: "application/merge-patch+json",
      body: { status: { capacity, allocatable: capacity } },
    });
  }
  const isReady = async () => {
    const { items } = await admin.must("GET", "/api/v1/nodes");
    const account = await admin.call("GET", "/api/v1/namespaces/default/serviceaccounts/default");
    return (
      account.status === 200 &&
      items.every(({ status }: { status: { conditions?: readonly { type: string; status: string }[] } }) =>
        status.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
      )
    );
  };
  for (let rest = PATIENCE_MS; rest > 0; rest -= POLL_MS) {
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error("the nodes never became ready");
}

/** Puts a pod template's pods on the edge node and on no other. */
export const ON_EDGE = {
  nodeSelector: { [NODE_GROUP]: EDGE_NODE },
  tolerations: [{ key: EDGE_TAINT.key, operator: "Exists" }],
};

function writeServiceAccountKey(pki: string): void {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  writeFileSync(join(pki, "sa.pub"), publicKey);
  writeFileSync(join(pki, "sa.key"), privateKey, { mode: 0o600 });
}

function kubeconfigText(url: URL, caPath: string, user: object): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server: url.origin, "certificate-authority": caPath } }],
    users: [{ name: "test", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
  });
}
