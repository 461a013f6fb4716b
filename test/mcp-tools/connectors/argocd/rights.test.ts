import { describe, expect, it } from "vitest";
import { argocdClient } from "../../../../mcp-tools/connectors/argocd/client.ts";
import { applicationRights } from "../../../../mcp-tools/connectors/argocd/rights.ts";
import { type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { GOOD, never } from "./setting.ts";

async function rightsAt(argocd: FakeArgocd) {
  const client = argocdClient({ endpoint: argocd.url, token: argocd.token });
  return await applicationRights(client, never).finally(client.close);
}

describe("Argo CD: what a token may change", () => {
  it("is what the server says of each application and action, and asking writes nothing", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD]), fakeApplication("mail", [GOOD])]);
    argocd.grant((action, name) => (action === "sync" && name === "default/mail" ? "yes" : "no"));
    expect(await rightsAt(argocd)).toEqual({ may: ["sync mail"], untold: [] });
    expect(argocd.writes).toEqual([]);
  });

  it("is nothing where it may only look", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.grant(() => "no");
    expect(await rightsAt(argocd)).toEqual({ may: [], untold: [] });
  });

  it("misses nothing on a server that knows no right to roll back: there it is the right to sync", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.grant((action) => (action === "rollback" ? "untold" : "no"));
    expect(await rightsAt(argocd)).toEqual({ may: [], untold: [] });
  });

  it("cannot be determined where the server refuses the question, or the token sees no application", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.forbid(/can-i/);
    expect(await rightsAt(argocd)).toEqual({ may: [], untold: ["sync cart", "update cart", "delete cart"] });
    await using empty = await fakeArgocd([]);
    expect((await rightsAt(empty)).untold).toEqual(["it sees no application"]);
  });
});
