import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import type { GateAnswer, Target } from "../../../../core/model/plan.ts";
import type { Gate } from "../../../../core/ports.ts";
import { type FakeKubernetesApi, fakeKubernetesApi } from "../../../fakes/fake-kubernetes-api.ts";
import { hangingProxy } from "../../../fakes/hanging-proxy.ts";
import { deployment, replicaSet } from "../../connectors/kubernetes/objects.ts";
import { ALICE_TOKEN } from "../gate-world.ts";
import { cart, type HangingTask, openHangingGate, web } from "./open.ts";

/** Whoever can submit plans and reconcile, in this process or in another one. */
interface Door {
  submit(planId: string): Promise<GateAnswer>;
  recover(): Promise<readonly GateAnswer[]>;
  close(): Promise<void>;
}

async function otherProcess(task: HangingTask): Promise<Door> {
  const script = join(import.meta.dirname, "other-process.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const ask = async (line: string): Promise<readonly GateAnswer[]> => {
    child.stdin.write(`${line}\n`);
    return JSON.parse((await lines.next()).value ?? "[]");
  };
  return {
    submit: async (planId) => (await ask(planId))[0] as GateAnswer,
    recover: () => ask("recover"),
    async close() {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
    },
  };
}

const inThisProcess = (gate: Gate): Door => ({
  submit: (planId) => gate.submit(planId),
  recover: () => gate.recover(),
  close: async () => {},
});

/** Two Deployments, each with a version to go back to. */
const objects = (["cart", "web"] as const).flatMap((name) => {
  const uid = `deployments/shop/${name}`;
  const more = { metadata: { name, uid }, spec: { selector: { matchLabels: { app: name } } } };
  const set = (image: string, revision: string, at: number) => {
    // As the ids of the targets' changes name it.
    const made = replicaSet(image, revision, at, { name: `${name}-${image.slice(-5).replaceAll(".", "")}`, uid });
    const [owner] = made.metadata.ownerReferences;
    return { ...made, metadata: { ...made.metadata, ownerReferences: [{ ...owner, name }] } };
  };
  return [deployment("shop/cart:1.5.0", "3", more), set("shop/cart:1.4.0", "2", 10), set("shop/cart:1.5.0", "3", 20)];
});

/** The plan whose mark a write leaves: the key of its intent, "plan:position". */
const planIn = (body: string): string => /([0-9a-f-]{36}):\d/.exec(body)?.[1] ?? "";
const writesTo = (api: FakeKubernetesApi, name: string) => api.writes.filter(({ url }) => url.includes(`/${name}?`));

/** A cluster, a ledger, and two gates over both, of which one may be another process. */
async function openScene(doors: "one process" | "two processes") {
  const folder = mkdtempSync(join(tmpdir(), "unship-hanging-"));
  const api = await fakeKubernetesApi(objects);
  const sent: { readonly planId: string; readonly name: string; readonly open: Promise<readonly string[]> }[] = [];
  const proxy = await hangingProxy(api.url, (request, body) => {
    const name = /deployments\/(\w+)/.exec(request)?.[1] ?? "";
    const open = first.store
      .transact((tx) => tx.intents({ open: true }))
      .then((all) => all.flatMap(({ planId, target }) => (target.object.name === name ? [planId] : [])));
    sent.push({ planId: planIn(body), name, open });
  });
  const task = { folder, server: proxy.url.href };
  const first = await openHangingGate(task);
  const second = doors === "one process" ? await openHangingGate(task) : null;
  const other = second === null ? await otherProcess(task) : inThisProcess(second.gate);
  const propose = async (target: Target, incidentId: string): Promise<string> => {
    const { plan } = await first.gate.propose({ incidentId, targets: [target], reason: "r", proposedBy: "watch" });
    await first.gate.approve(plan.id, ALICE_TOKEN);
    return plan.id;
  };
  return {
    api,
    proxy,
    sent,
    propose,
    one: inThisProcess(first.gate),
    other,
    open: async () => (await first.store.transact((tx) => tx.intents({ open: true }))).map(({ planId }) => planId),
    async [Symbol.asyncDispose]() {
      await other.close();
      await second?.store.close();
      await first.store.close();
      await proxy[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A target as another source would have named it. */
const spelledOtherwise: Target = { ...cart, object: { ...cart.object, kind: "deployment" } };

describe.each(["one process", "two processes"] as const)("S5: a target that hangs, in %s", (doors) => {
  it.each(["carry out", "lose"] as const)(
    "gets no other write before its intent was reconciled, and holds no other target (it will %s what it was sent)",
    async (late) => {
      await using scene = await openScene(doors);
      const { api, proxy, one, other } = scene;
      const [a, b, c, d] = [
        await scene.propose(cart, "incident-1"),
        await scene.propose(cart, "incident-2"),
        await scene.propose(spelledOtherwise, "incident-3"),
        await scene.propose(web, "incident-4"),
      ];
      // It takes the write and says nothing, nor does it answer what it is asked then.
      let isHanging = false;
      proxy.hang((request) => {
        isHanging ||= request.startsWith("PATCH") && request.includes("/cart?");
        return isHanging && request.includes("/deployments/cart");
      });
      const first = await one.submit(a);
      expect(first.results.map(({ result }) => result)).toEqual(["unknown"]);
      expect(proxy.held().filter((request) => request.startsWith("PATCH"))).toHaveLength(1);
      for (const door of [one, other]) {
        for (const plan of [b, c]) {
          const answer = await door.submit(plan);
          expect(answer.outcome).toBe("denied");
          expect(answer.review.rules.map(({ rule }) => rule)).toContain("target-busy");
        }
        await door.recover();
      }
      expect(await scene.open()).toEqual([a]);
      // What it was sent is its own affair: another target is undone meanwhile, by either gate.
      expect(await other.submit(d)).toMatchObject({ outcome: "executed" });
      expect(writesTo(api, "cart")).toEqual([]);
      await proxy.release(late);
      // It answers again, and nobody has asked it yet what came of the first write.
      for (const door of [one, other]) expect(await door.submit(b)).toMatchObject({ outcome: "denied" });
      const settled = await until(async () => (await one.recover()).find(({ planId }) => planId === a));
      expect(settled).toMatchObject({ outcome: "executed" });
      expect(await scene.open()).toEqual([]);
      for (const plan of [b, c]) {
        expect((await other.submit(plan)).outcome).not.toBe("executed");
      }
      // Each write was sent while no other plan's intent was open at that target; the object was changed once.
      for (const { planId, open } of scene.sent) expect(await open).toEqual([planId]);
      expect(new Set(scene.sent.filter(({ name }) => name === "cart").map(({ planId }) => planId))).toEqual(
        new Set([a]),
      );
      expect(writesTo(api, "cart")).toHaveLength(1);
    },
    60_000,
  );

  it("keeps no other open intent from being reconciled, by either gate", async () => {
    await using scene = await openScene(doors);
    const { proxy, one, other } = scene;
    const [a, b] = [await scene.propose(cart, "incident-1"), await scene.propose(web, "incident-2")];
    proxy.hang((request) => request.startsWith("PATCH"));
    const isCart = (request: string) => request.includes("/deployments/cart");
    const both = Promise.all([one.submit(a), one.submit(b)]);
    await until(async () => (proxy.held().length === 2 ? true : undefined));
    proxy.hang(() => true);
    for (const answer of await both) expect(answer.results.map(({ result }) => result)).toEqual(["unknown"]);
    await proxy.release("lose");
    proxy.hang(isCart);
    const recovering = one.recover();
    // Side by side, and by whoever calls again: the one that answers is settled while the other one is waited for.
    await until(async () => ((await scene.open()).length === 1 ? true : undefined));
    expect(await scene.open()).toEqual([a]);
    expect(proxy.held().length).toBeGreaterThan(0);
    expect(await one.recover()).toEqual([]);
    expect(await other.recover()).toEqual([]);
    const answers = await recovering;
    expect(answers.map(({ planId, outcome }) => [planId, outcome]).sort()).toEqual(
      [
        [a, "stopped"],
        [b, "executed"],
      ].sort(),
    );
  }, 60_000);

  it("that takes writes and answers reads is changed once, however many were sent to it meanwhile", async () => {
    await using scene = await openScene(doors);
    const { api, proxy, one, other } = scene;
    const [a, b, c] = [
      await scene.propose(cart, "incident-1"),
      await scene.propose(cart, "incident-2"),
      await scene.propose(cart, "incident-3"),
    ];
    const before = Number(api.get("deployments", "shop", "cart")?.metadata.generation);
    proxy.hang((request) => request.startsWith("PATCH"));
    // What was asked of it says that nothing happened: it is tried once more under the same key. What was sent then may
    // still be carried out, so that it is not known what comes of it, and no other plan gets to the target.
    expect((await one.submit(a)).results.map(({ result }) => result)).toEqual(["unknown"]);
    for (const door of [one, other]) {
      const answer = await door.submit(b);
      expect(answer.outcome).toBe("denied");
      expect(answer.review.rules.map(({ rule }) => rule)).toContain("target-busy");
    }
    expect(proxy.held()).toHaveLength(2);
    await proxy.release("carry out");
    expect(writesTo(api, "cart")).toHaveLength(2);
    // The first of them is done; the lock that each carries refuses the other.
    const after = api.get("deployments", "shop", "cart");
    expect(Number(after?.metadata.generation)).toBe(before + 1);
    expect(JSON.stringify(after)).toContain(`${a}:0`);
    const settled = await until(async () => (await one.recover()).find(({ planId }) => planId === a));
    expect(settled).toMatchObject({ outcome: "executed" });
    expect((await one.submit(c)).outcome).not.toBe("executed");
    expect(Number(api.get("deployments", "shop", "cart")?.metadata.generation)).toBe(before + 1);
  }, 60_000);
});

/** Asks again until there is an answer: a target that hung is looked at again after some seconds. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let turn = 0; turn < 200; turn += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return undefined;
}
