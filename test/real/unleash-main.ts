import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Starts the real Unleash in this process, as `UnleashTask` says, and tells its port on standard output. */
export interface UnleashTask {
  readonly folder: string;
  /** Of PostgreSQL's socket. */
  readonly socket: string;
  readonly database: string;
  /** Admin tokens: who uses each, as the event log names them, and the secret. */
  readonly tokens: readonly { readonly name: string; readonly secret: string }[];
  /** The secret of a program that evaluates flags, in the environment development. */
  readonly clientSecret: string;
}

const { folder, socket, database, tokens, clientSecret } = JSON.parse(process.argv[2] ?? "{}") as UnleashTask;
const entry = createRequire(join(folder, "package.json")).resolve("unleash-server");
const { start } = (await import(pathToFileURL(entry).href)) as {
  start(options: unknown): Promise<{ readonly server: { address(): { readonly port: number } } }>;
};
const { server } = await start({
  db: { host: socket, port: 5432, user: "unship", password: "", database, ssl: false, pool: { min: 0, max: 5 } },
  server: { port: 0, host: "127.0.0.1", gracefulShutdownEnable: false, serverMetrics: false },
  authentication: {
    createAdminUser: false,
    initApiTokens: [
      ...tokens.map(({ name, secret }) => ({ ...tokenOf(name, secret, "*", "*"), type: "admin" })),
      { ...tokenOf("shop", clientSecret, "default", "development"), type: "client" },
    ],
  },
  versionCheck: { enable: false },
  telemetry: false,
  disableScheduler: true,
  enableOAS: false,
  clientFeatureCaching: { enabled: false },
  logLevel: "error",
});
process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);

function tokenOf(tokenName: string, secret: string, project: string, environment: string) {
  return { tokenName, secret, project, projects: [project], environment };
}
