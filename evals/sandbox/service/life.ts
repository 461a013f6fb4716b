import { createInterface } from "node:readline";

/** Which loopback ports serve a name right now: what DNS and kube-proxy tell a pod. */
export type EndpointTable = Readonly<Record<string, readonly Endpoint[]>>;

export interface Endpoint {
  readonly pod: string;
  readonly port: number;
}

/**
 * Hands every line of standard input, parsed as JSON, to `listener`. When the other end of the pipe closes, however
 * it ended, this process ends too: a sandbox that is killed leaves no children behind. Ctrl-C at a terminal reaches the
 * whole group of processes; what it means is for the parent to say.
 */
export function followParent(listener: (message: unknown) => void): void {
  process.on("SIGINT", () => undefined);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => listener(JSON.parse(line)));
  lines.on("close", () => process.exit(0));
}

/** One line of JSON to the parent. */
export function tellParent(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
