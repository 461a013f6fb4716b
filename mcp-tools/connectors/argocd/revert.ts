import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { HistoryEntry, Source } from "./application.ts";

const run = promisify(execFile);
type Git = (cwd: string, args: readonly string[]) => Promise<string>;

/** A local clone of a repository that Argo CD deploys from. */
export interface Clone {
  readonly url: string;
  readonly path: string;
}

/** Prepares the commit that finishes a rollback: a branch in a local clone, never pushed. */
export interface RevertDesk {
  /** What was prepared, or why not, as a sentence for a person. Never throws. */
  prepare(work: {
    readonly application: string;
    readonly bad: HistoryEntry;
    readonly good: HistoryEntry;
    /** The plan's key: the branch is named after it, so that a second try finds it. */
    readonly key: string;
  }): Promise<string>;
}

/** A clone on a slow disk still answers in this time; the rollback itself is over by then. */
const GIT_MS = 10_000;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Reverts, on a branch "unship/revert-…" that starts at the bad commit, every commit after the good one up to it, as
 * far as they touch the application's own path. Works in a worktree of its own, so that whatever is checked out in the
 * clone stays as it is; asks no remote, runs no hook, and never pushes.
 *
 * @see https://git-scm.com/docs/git-revert
 */
export function revertDesk(clones: readonly Clone[], searchPath = "/usr/local/bin:/usr/bin:/bin"): RevertDesk {
  const git = gitIn(searchPath);
  return {
    async prepare({ application, bad, good, key }) {
      const source = bad.source ?? null;
      if (source === null)
        return `Revert the commit of ${application} in Git: with several sources unship prepares none.`;
      const clone = clones.find(({ url }) => sameRepository(url, source.repoURL));
      const [from, to] = [good.revision ?? "", bad.revision ?? ""];
      if (clone === undefined)
        return `Revert ${to} in ${source.repoURL}: no local clone of it is configured, so no revert was prepared.`;
      if (!COMMIT.test(from) || !COMMIT.test(to) || from === to)
        return `Change ${application} in Git by hand: ${from} and ${to} are no two commits that a revert leads between.`;
      const branch = `unship/revert-${to.slice(0, 10)}-${key.replaceAll(/[^A-Za-z0-9-]+/g, "-").slice(0, 40)}`;
      try {
        return await prepareBranch(git, clone, { branch, from, to, path: pathOf(source) });
      } catch {
        return `No revert could be prepared in ${clone.path}: fetch it, and revert ${from.slice(0, 10)}..${to.slice(0, 10)} by hand.`;
      }
    },
  };
}

async function prepareBranch(
  git: Git,
  { path: clone }: Clone,
  { branch, from, to, path }: { branch: string; from: string; to: string; path: string | null },
): Promise<string> {
  const next = `Review it (git -C ${clone} log -p ${to}..${branch}), push it yourself and merge it.`;
  const exists = await git(clone, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => null);
  if (exists !== null) return `The revert is ready on branch ${branch} in ${clone}. ${next}`;
  const only = path === null ? [] : ["--", path];
  const listed = await git(clone, ["rev-list", "--no-merges", `${from}..${to}`, ...only]);
  const commits = listed.split("\n").filter((one) => one !== "");
  if (commits.length === 0)
    return `Nothing between ${from.slice(0, 10)} and ${to.slice(0, 10)} touches ${path ?? "it"}: change it in Git by hand.`;
  const worktree = await mkdtemp(join(tmpdir(), "unship-revert-"));
  try {
    await git(clone, ["worktree", "add", "--quiet", "--detach", worktree, to]);
    await git(worktree, ["revert", "--no-edit", ...commits]);
    // Created only when all of it worked: a branch that stands is a revert that is whole.
    await git(worktree, ["branch", branch, "HEAD"]);
  } finally {
    await git(clone, ["worktree", "remove", "--force", worktree]).catch(() => {});
    await rm(worktree, { recursive: true, force: true });
  }
  const whole = path === null ? "" : ` It reverts the commits that touched ${path} whole, elsewhere too.`;
  return `The revert of ${commits.length} commit${commits.length === 1 ? "" : "s"} is ready on branch ${branch} in ${clone}, not pushed.${whole} ${next}`;
}

/**
 * For every command, since a hook also runs on a checkout and on a new branch, and where the clone keeps its hooks in the
 * repository whoever can push would choose what runs here. No editor, signature or watcher either; the commits say who
 * made them.
 *
 * @see https://git-scm.com/docs/githooks (post-checkout, reference-transaction)
 */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "commit.gpgSign=false",
  "user.name=unship",
  "user.email=unship@localhost",
].flatMap((one) => ["-c", one]);

/**
 * Git with nothing of the agent's own environment, which may hold secrets, and none of anybody's settings but the
 * clone's. A path is a path, and no pattern; what the clone does not hold is missing, and not fetched.
 */
function gitIn(searchPath: string): Git {
  const env = {
    PATH: searchPath,
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_LAZY_FETCH: "1",
  };
  return async (cwd, args) => (await run("git", [...SETTINGS, ...args], { cwd, env, timeout: GIT_MS })).stdout.trim();
}

/** "https://host/a/b.git" and "git@host:a/b" are one repository. */
function sameRepository(one: string, other: string): boolean {
  return bare(one) === bare(other);
}

function bare(url: string): string {
  return url
    .replace(/^[a-z+]+:\/\//i, "")
    .replace(/^[^@/]+@/, "")
    .replace(/^([^:/]+):(?!\d+\/)/, "$1/")
    .replace(/\.git\/?$|\/$/g, "")
    .toLowerCase();
}

function pathOf({ path }: Source): string | null {
  return typeof path === "string" && path !== "" && path !== "." ? path : null;
}
