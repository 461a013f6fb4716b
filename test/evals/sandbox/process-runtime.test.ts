import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build } from "../../../evals/sandbox/shop.ts";
import { startSmallShop, until } from "./small-shop.ts";

const cart = build("cart", "1.1.0");
const pricing = build("pricing", "1.1.0");

describe("the pod runtime", () => {
  it("refuses an image that the registry does not have, by name", async () => {
    await using shop = await startSmallShop([]);
    const pod = { name: "cart-1", namespace: "production", labels: {}, image: "shop/cart:9.9.9", env: {} };
    await expect(shop.runtime.start(pod)).rejects.toThrow('image "shop/cart:9.9.9" is not in the registry');
  });

  it("becomes ready after its start-up time and not before", async () => {
    await using shop = await startSmallShop([{ ...pricing, startUpMs: 1500 }]);
    expect(await shop.pod("pricing").ready()).toBe(false);
    await until(async () => ((await shop.pod("pricing").ready()) ? true : undefined));
    expect(shop.runtime.live()).toEqual([
      {
        pod: "pricing-1",
        namespace: "production",
        service: "pricing",
        version: "1.1.0",
        port: shop.pod("pricing").port,
        pid: shop.pod("pricing").pid,
      },
    ]);
  });

  it("ends a pod on SIGTERM after it has answered what it had taken, and says its exit once", async () => {
    await using shop = await startSmallShop([{ ...pricing, quirks: [{ kind: "waits", share: 1, ms: 300 }] }]);
    const codes: (number | null)[] = [];
    shop.pod("pricing").onExit((code) => codes.push(code));
    const asked = fetch(shop.url("pricing", "/prices"));
    const log = join(shop.runtime.logDirectory, "pricing-1.jsonl");
    const stopped = shop.pod("pricing").stop(5000);
    await until(() => (readFileSync(log, "utf8").includes("shutting down") ? true : undefined));
    expect(await shop.pod("pricing").ready()).toBe(false);
    expect((await asked).status).toBe(200);
    await stopped;
    expect(codes).toEqual([0]);
    expect(shop.runtime.live()).toEqual([]);
    await expect(fetch(shop.url("pricing", "/prices"))).rejects.toThrow();
  });

  it("kills a pod that does not end within its grace, with 137 as its code", async () => {
    await using shop = await startSmallShop([pricing]);
    const code = new Promise<number | null>((resolve) => shop.pod("pricing").onExit(resolve));
    await shop.pod("pricing").stop(0);
    expect(await code).toBe(137);
  });

  it("reports a crash as an exit, also to a listener that comes late", async () => {
    await using shop = await startSmallShop([cart, pricing]);
    const code = new Promise<number | null>((resolve) => shop.pod("cart").onExit(resolve));
    process.kill(shop.pod("cart").pid, "SIGABRT");
    expect(await code).toBe(134);
    expect(await shop.pod("cart").ready()).toBe(false);
    expect(await new Promise((resolve) => shop.pod("cart").onExit(resolve))).toBe(134);
    expect(shop.runtime.live().map(({ pod }) => pod)).toEqual(["pricing-1"]);
  });

  it("gives a process nothing of its own environment but what the pod asks for", async () => {
    await using shop = await startSmallShop([]);
    const image = "shop/cart:1.1.0";
    const { openRegistry } = await import("../../../evals/sandbox/images.ts");
    openRegistry(join(shop.directory, "registry")).push(cart);
    const pod = { name: "cart-9", namespace: "production", labels: {}, image, env: { GREETING: "hello" } };
    const { pid } = await shop.runtime.start(pod);
    if (process.platform !== "linux") return;
    const names = readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((pair) => pair.split("=")[0]);
    expect(names.filter((name) => name !== "").sort()).toEqual(["GREETING", "NODE_COMPILE_CACHE"]);
  });
});
