/** All that is published: nobody outside needs more than this, and nothing in it names a scenario. */
export interface SandboxEndpoints {
  readonly kubernetes: string;
  readonly kubeconfigPath: string;
  readonly namespace: string;
  /** Prometheus HTTP service discovery: every pod's `/metrics`. */
  readonly metricsDiscovery: string;
  /** A Prometheus configuration that scrapes the sandbox. */
  readonly prometheusConfigPath: string;
  readonly flags: string;
  /** An admin token for whoever is to switch flags; its writes are told apart from the sandbox's own. */
  readonly flagToken: string;
  /** The name that the flag system writes down for whoever uses that token. */
  readonly flagActor: string;
  readonly flagProject: string;
  readonly flagEnvironment: string;
  readonly zipkin: string;
  /** Directory of JSON-lines files, one a pod. */
  readonly logs: string;
  readonly gateway: string;
}
