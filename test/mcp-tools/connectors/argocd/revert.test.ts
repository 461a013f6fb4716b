import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { revertDesk } from "../../../../mcp-tools/connectors/argocd/revert.ts";
import { fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { cartTarget, executorFor, never } from "./setting.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const URL_ = "https://git.example/shop/deploy.git";
const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=ada", "-c", "user.email=ada@example.com", ...args], {
    cwd,
    encoding: "utf8",
  }).trim();

/** A repository of two applications: cart 1 → 2 → 3, and something else between. */
function repository() {
  const path = mkdtempSync(join(tmpdir(), "unship-test-repo-"));
  folders.push(path);
  git(path, "init", "--quiet", "-b", "main");
  const put = (file: string, text: string) => {
    git(path, "init", "--quiet");
    execFileSync("mkdir", ["-p", join(path, file, "..")]);
    writeFileSync(join(path, file), text);
    git(path, "add", ".");
    git(path, "commit", "--quiet", "-m", `${file} ${text.trim()}`);
    return git(path, "rev-parse", "HEAD");
  };
  const good = put("cart/image.yaml", "cart:1\n");
  put("cart/image.yaml", "cart:2\n");
  put("mail/image.yaml", "mail:2\n");
  const bad = put("cart/image.yaml", "cart:3\n");
  return { path, good, bad };
}

const entry = (id: number, revision: string, path = "cart") => ({
  id,
  revision,
  revisions: [],
  sources: [],
  source: { repoURL: URL_, path },
  deployedAt: 0,
  deployStartedAt: 0,
});

describe("the revert that finishes a rollback", () => {
  it("stands on a branch of the clone: back to the good state of this application, and of nothing else", async () => {
    const { path, good, bad } = repository();
    const before = git(path, "rev-parse", "HEAD");
    const work = { application: "cart", good: entry(0, good), bad: entry(1, bad), key: "plan-1:0" };
    const text = await revertDesk([{ url: URL_, path }]).prepare(work);
    const branch = `unship/revert-${bad.slice(0, 10)}-plan-1-0`;
    expect(text).toContain(`The revert of 2 commits is ready on branch ${branch} in ${path}, not pushed.`);
    expect(git(path, "show", `${branch}:cart/image.yaml`)).toBe("cart:1");
    expect(git(path, "show", `${branch}:mail/image.yaml`)).toBe("mail:2");
    // What is checked out stays as it is, and no worktree is left behind.
    expect(git(path, "rev-parse", "HEAD")).toBe(before);
    expect(readFileSync(join(path, "cart/image.yaml"), "utf8")).toBe("cart:3\n");
    expect(git(path, "worktree", "list").split("\n")).toHaveLength(1);
    expect(git(path, "status", "--porcelain")).toBe("");
  });

  it("S11: runs no hook, also none that the repository brings itself", async () => {
    const { path, good } = repository();
    const ran = join(path, "..", `unship-test-hook-${process.pid}-${Date.now()}`);
    folders.push(ran);
    mkdirSync(join(path, ".hooks"));
    for (const hook of ["post-checkout", "reference-transaction", "post-commit", "post-index-change", "pre-commit"])
      writeFileSync(join(path, ".hooks", hook), `#!/bin/sh\necho ${hook} >> ${ran}\n`, { mode: 0o755 });
    writeFileSync(join(path, "cart/image.yaml"), "cart:4\n");
    git(path, "add", ".");
    git(path, "commit", "--quiet", "-m", "Cart 4, with hooks");
    const bad = git(path, "rev-parse", "HEAD");
    git(path, "config", "core.hooksPath", ".hooks");
    const work = { application: "cart", good: entry(0, good), bad: entry(1, bad), key: "k" };
    expect(await revertDesk([{ url: URL_, path }]).prepare(work)).toContain("is ready");
    expect(existsSync(ran)).toBe(false);
  });

  it("is prepared once for one plan", async () => {
    const { path, good, bad } = repository();
    const desk = revertDesk([{ url: "git@git.example:shop/deploy", path }]);
    const work = { application: "cart", good: entry(0, good), bad: entry(1, bad), key: "plan-1:0" };
    await desk.prepare(work);
    const tips = git(path, "for-each-ref", "refs/heads");
    expect(await desk.prepare(work)).toContain("The revert is ready on branch");
    expect(git(path, "for-each-ref", "refs/heads")).toBe(tips);
  });

  it("that does not apply leaves nothing behind, and says what to do", async () => {
    const { path, good } = repository();
    const commitAll = (message: string) => {
      git(path, "add", ".");
      git(path, "commit", "--quiet", "-m", message);
    };
    writeFileSync(join(path, "shared.yaml"), "limit: 1\n");
    commitAll("Shared");
    writeFileSync(join(path, "cart/image.yaml"), "cart:4\n");
    writeFileSync(join(path, "shared.yaml"), "limit: 2\n");
    commitAll("Cart 4 and a shared limit");
    // Does not touch the cart, so it is not reverted; the commit before it cannot be reverted without it.
    writeFileSync(join(path, "shared.yaml"), "limit: 3\n");
    commitAll("A limit of others");
    const work = { application: "cart", good: entry(0, good), bad: entry(1, git(path, "rev-parse", "HEAD")), key: "k" };
    expect(await revertDesk([{ url: URL_, path }]).prepare(work)).toContain("No revert could be prepared");
    expect(git(path, "worktree", "list").split("\n")).toHaveLength(1);
    expect(git(path, "for-each-ref", "refs/heads").split("\n")).toHaveLength(1);
  });

  it.each([
    ["no clone of the repository is configured", [], "no local clone of it is configured"],
    ["the clone lacks the commits", [{ url: URL_, path: "" }], "No revert could be prepared"],
  ] as const)("%s: it says so", async (_, clones, because) => {
    const { path } = repository();
    const desk = revertDesk(clones.map((clone) => ({ ...clone, path })));
    const work = { application: "cart", good: entry(0, "c".repeat(40)), bad: entry(1, "d".repeat(40)), key: "k" };
    expect(await desk.prepare(work)).toContain(because);
  });

  it.each([
    ["a chart's version", "1.2.3"],
    ["an option of git", "--upload-pack=touch /tmp/x"],
    ["a name", "main"],
  ])("%s is no commit, and git never sees it", async (_, revision) => {
    const { path, bad } = repository();
    const work = { application: "cart", good: entry(0, revision), bad: entry(1, bad), key: "k" };
    expect(await revertDesk([{ url: URL_, path }]).prepare(work)).toContain("by hand");
  });

  it("is told with the rollback that it finishes", async () => {
    const { path, good, bad } = repository();
    await using argocd = await fakeArgocd([fakeApplication("cart", [good, bad])]);
    const target = cartTarget({
      expected: { version: bad.slice(0, 10), revision: "1" },
      restore: { version: good.slice(0, 10), revision: "0" },
    });
    const executor = executorFor(argocd, { revert: revertDesk([{ url: URL_, path }]) });
    const result = await executor.execute(target, "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(result.warnings.at(-1)).toContain("The revert of 2 commits is ready on branch");
  });
});
