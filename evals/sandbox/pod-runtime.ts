/** What the imitated cluster asks of whatever runs its pods: one operating-system process a pod. */
export interface PodRuntime {
  /** Starts the pod's process and resolves once it has been spawned (not: ready). Throws if the image is unknown. */
  start(pod: PodStart): Promise<RunningPod>;
}

export interface PodStart {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The first container's image, "shop/cart:1.4.0". */
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunningPod {
  readonly pid: number;
  /** Loopback port on which the process serves; known once it has been spawned. */
  readonly port: number;
  /** Asks the process's readiness endpoint once, as a kubelet's probe does; a refused connection is "not ready". */
  ready(): Promise<boolean>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process has ended. */
  stop(graceMs: number): Promise<void>;
  /** Called once when the process ends, however it ends. */
  onExit(listener: (code: number | null) => void): void;
}
