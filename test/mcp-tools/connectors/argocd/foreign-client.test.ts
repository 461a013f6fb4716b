import { createRequire } from "node:module";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { ALL, BAD, cartTarget, connectTo, executorFor, GOOD, never } from "./setting.ts";

/**
 * The Argo CD project's own client for assistants (argoproj-labs/mcp-for-argocd) beside ours, over the same imitated API:
 * what it is told must be what we did, and what it does must be what we see. It is a person with other hands: it syncs,
 * and it rewrites an application whole. The fake holds each of its requests to Argo CD's description, as it does ours.
 */
describe("Argo CD, with a client that is not ours", () => {
  let argocd: FakeArgocd;
  let client: Client;
  const names = ["read", "raced", "busy", "pinned", "restored", "blocked", "kept"] as const;
  const automated = { prune: true, selfHeal: true };

  beforeAll(async () => {
    argocd = await fakeArgocd(names.map((name) => fakeApplication(name, [GOOD, BAD], { automated })));
    client = await start(argocd.login("opsbot"));
  });
  afterAll(async () => {
    await client.close();
    await argocd[Symbol.asyncDispose]();
  });

  async function start(token: string): Promise<Client> {
    const started = new Client({ name: "test", version: "1" });
    await started.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [createRequire(import.meta.url).resolve("argocd-mcp"), "stdio"],
        env: { PATH: process.env.PATH ?? "", ARGOCD_BASE_URL: argocd.url.origin, ARGOCD_API_TOKEN: token },
        stderr: "ignore",
      }),
    );
    return started;
  }

  async function call(tool: string, input: object, by = client): Promise<Answer> {
    const { content } = await by.callTool({ name: tool, arguments: { ...input } });
    const [{ text }] = content as [{ readonly text: string }];
    return JSON.parse(text) as Answer;
  }
  const get = (name: string) => call("get_application", { applicationName: name });
  const sync = (name: string, more: object = {}) => call("sync_application", { applicationName: name, ...more });
  const target = (name: string) =>
    cartTarget({
      changeId: `deploy:argocd/argocd/${name}:1`,
      object: { kind: "Application", namespace: "argocd", name },
    });
  const execute = (name: string) => executorFor(argocd).execute(target(name), `${name}:0`, never);

  it("reads every application, and what we did to one: where it stands, by whom, and that nothing syncs it by itself", async () => {
    expect((await execute("read")).result).toBe("done");
    const { spec, status } = await get("read");
    expect(status?.history.at(-1)).toMatchObject({ id: 2, revision: GOOD, initiatedBy: { username: "unship" } });
    expect(spec?.syncPolicy.automated).toEqual({ ...automated, enabled: false });
    const { items } = await call("list_applications", {});
    expect(items?.map(({ metadata }) => metadata.name)).toEqual(names);
  });

  it("is not allowed to sync to another revision while auto-sync is on, and is once we have switched it off", async () => {
    const refused = await sync("pinned", { revision: BAD });
    expect(refused).toMatchObject({ code: 9, message: `Cannot sync to ${BAD}: auto-sync currently set to main` });
    expect((await execute("pinned")).warnings.join(" ")).toContain("Git still asks for bbbbbbbbbb");
    expect((await sync("pinned", { revision: BAD })).operation).toMatchObject({ initiatedBy: { username: "opsbot" } });
    await get("pinned");
    await get("pinned");
    const { changes } = connectTo(argocd, [{ service: "cart", application: "pinned" }]);
    const seen = (await changes.changes(ALL, never)).filter(({ service }) => service === "cart");
    expect(seen.map(({ author, ownRollback = false, to }) => [author, ownRollback, to])).toEqual([
      ["ada", false, "aaaaaaaaaa"],
      ["ada", false, "bbbbbbbbbb"],
      ["unship", true, "aaaaaaaaaa"],
      ["opsbot", false, "bbbbbbbbbb"],
    ]);
  });

  it("S6: has synced since the plan, and ours writes nothing", async () => {
    await sync("raced", { revision: "main" });
    await get("raced");
    expect((await get("raced")).status?.history).toHaveLength(3);
    const before = argocd.writes.length;
    expect((await execute("raced")).result).toBe("stale");
    expect(argocd.writes).toHaveLength(before);
  });

  it("S6: is in the middle of a sync, and ours leaves it alone", async () => {
    argocd.ends("never");
    await sync("busy", { revision: "main" });
    const before = argocd.writes.length;
    const { result, detail } = await execute("busy");
    argocd.ends("Succeeded");
    expect([result, argocd.writes.length]).toEqual(["refused", before]);
    expect(detail).toContain("opsbot");
    expect(await sync("busy", { revision: "main" })).toMatchObject({
      code: 9,
      message: "another operation is already in progress",
    });
  });

  it("is kept out by a sync window", async () => {
    argocd.setWindows("blocked", { canSync: false, activeWindows: [{ kind: "deny", schedule: "* * * * *" }] });
    expect(await sync("blocked", { revision: "main" })).toMatchObject({
      code: 7,
      message: "cannot sync: blocked by sync window",
    });
  });

  it("tries a sync dry, which changes no history", async () => {
    await sync("kept", { revision: BAD, dryRun: true });
    await get("kept");
    await get("kept");
    expect((await get("kept")).status?.history).toHaveLength(2);
  });

  it("S13: writes the application anew, with auto-sync on and without our mark; ours still knows its own act", async () => {
    expect((await execute("restored")).result).toBe("done");
    const { metadata, spec } = await get("restored");
    const { source, destination, project } = spec ?? expect.fail("it has no spec");
    const retry = { limit: 1, backoff: { duration: "5s", maxDuration: "1m", factor: 2 } };
    const written = await call("update_application", {
      applicationName: "restored",
      application: {
        metadata: { name: "restored", namespace: metadata?.namespace },
        spec: { project, source, destination, syncPolicy: { syncOptions: [], automated, retry } },
      },
    });
    expect(written.metadata?.annotations).toBeUndefined();
    expect(written.spec?.syncPolicy.automated).toEqual(automated);
    const restarted = executorFor(argocd);
    expect((await restarted.reconcile(target("restored"), "restored:0", never)).result).toBe("done");
    const before = argocd.writes.length;
    expect((await restarted.execute(target("restored"), "restored:0", never)).result).toBe("done");
    expect(argocd.writes, "it is not done twice").toHaveLength(before);
  });

  it("sees the objects that we see", async () => {
    argocd.setLive("kept", [{ kind: "Deployment", metadata: { name: "kept" } }]);
    const { items } = await call("get_application_managed_resources", { applicationName: "kept" });
    expect(items?.map(({ kind }) => kind)).toEqual(["Deployment"]);
  });

  it("learns nothing with a token that is none", async () => {
    const stranger = await start("no-token-of-this-server");
    expect(await call("get_application", { applicationName: "kept" }, stranger)).toMatchObject({ code: 16 });
    await stranger.close();
  });
});

/** Whatever it passes on: an application, a list, a refusal. */
interface Answer {
  readonly code?: number;
  readonly message?: string;
  readonly items?: readonly { readonly kind?: string; readonly metadata: { readonly name: string } }[];
  readonly metadata?: { readonly namespace: string; readonly annotations?: object };
  readonly operation?: object;
  readonly spec?: {
    readonly project: string;
    readonly source: object;
    readonly destination: object;
    readonly syncPolicy: { readonly automated?: object };
  };
  readonly status?: { readonly history: readonly object[] };
}
