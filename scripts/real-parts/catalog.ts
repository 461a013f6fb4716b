/** The Go that the pinned modules ask for, and the Java that OpenSearch and Zipkin ask for. */
export const GO = "1.26";
export const JAVA = "21";

export interface GoPart {
  readonly name: string;
  readonly what: string;
  /** What is compiled: a package of the pinned modules, or "." for a main of our own in the folder. */
  readonly package: string;
  readonly ldflags?: string;
  /** Names that it is started under, as links to it. */
  readonly links?: readonly string[];
  /** Arguments and what they print, to know that the program runs. */
  readonly check: { readonly args: readonly string[]; readonly as?: string; readonly prints: RegExp };
}

const KUBERNETES = "v1.36.3";
const versionFlags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
  .map((where) => `-X ${where}.gitVersion=${KUBERNETES}`)
  .join(" ");

/** Each from its `go.mod` under `go/NAME`, through the Go module proxy. Apache-2.0, all of them. */
export const GO_PARTS: readonly GoPart[] = [
  {
    name: "etcd",
    what: "etcd",
    package: "go.etcd.io/etcd/server/v3",
    check: { args: ["--version"], prints: /etcd Version: 3\.7\./ },
  },
  {
    name: "kwok",
    what: "kwok, which answers for kubelets",
    package: "sigs.k8s.io/kwok/cmd/kwok",
    check: { args: ["--version"], prints: /kwok/ },
  },
  {
    name: "kubernetes",
    what: `Kubernetes ${KUBERNETES}: API server, controller manager, scheduler and kubectl`,
    package: ".",
    ldflags: versionFlags,
    links: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"],
    check: { args: ["version", "--client"], as: "kubectl", prints: /Client Version: v1\.36\./ },
  },
  {
    name: "rollouts-controller",
    what: "Argo Rollouts' controller",
    package: "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    check: { args: ["--help"], prints: /argo-rollouts|rollouts-controller/ },
  },
  {
    name: "argocd",
    what: "Argo CD: server, repo-server and application-controller",
    package: "github.com/argoproj/argo-cd/v3/cmd",
    links: ["argocd-server", "argocd-repo-server", "argocd-application-controller"],
    check: { args: ["--help"], as: "argocd-server", prints: /argocd-server|API server/ },
  },
  {
    name: "jaeger",
    what: "Jaeger",
    package: "github.com/jaegertracing/jaeger/cmd/jaeger",
    check: { args: ["--help"], prints: /[Jj]aeger/ },
  },
  {
    name: "helm",
    what: "Helm",
    package: "helm.sh/helm/v3/cmd/helm",
    check: { args: ["version", "--short"], prints: /^v3\./ },
  },
];

export interface ModuleFiles {
  readonly name: string;
  /** The part that they go with. */
  readonly part: string;
  readonly module: string;
  /** A folder in the module, and the files of it that are taken. */
  readonly folder: string;
  readonly files: RegExp;
  /** Where they go in the folder of parts. */
  readonly to: string;
}

/** Definitions of kinds and base configuration, read from the module that the controller is compiled from. */
export const MODULE_FILES: readonly ModuleFiles[] = [
  {
    name: "Argo Rollouts' kinds",
    part: "rollouts-controller",
    module: "github.com/argoproj/argo-rollouts@v1.9.2",
    folder: "manifests/crds",
    files: /-crd\.yaml$/,
    to: "crds/argo-rollouts",
  },
  {
    name: "Argo CD's kinds",
    part: "argocd",
    module: "github.com/argoproj/argo-cd/v3@v3.1.16",
    folder: "manifests/crds",
    files: /-crd\.yaml$/,
    to: "crds/argocd",
  },
  {
    name: "Argo CD's base configuration",
    part: "argocd",
    module: "github.com/argoproj/argo-cd/v3@v3.1.16",
    folder: "manifests/base/config",
    files: /^argocd-.*\.yaml$/,
    to: "config/argocd",
  },
];

/** Maven's artifacts in `pom.xml`, PyPI's packages in `requirements.txt`, and what Debian packages. */
export const OTHER = {
  maven: "OpenSearch and Zipkin",
  python: "moto (CloudWatch)",
  debian: ["prometheus", "prometheus-alertmanager", "postgresql", "redis-server", "chromium"],
} as const;
