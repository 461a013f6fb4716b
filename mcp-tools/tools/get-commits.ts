import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import type { Commit } from "../../core/model/commit.ts";
import { type Fenced, joined, ours, own } from "../../core/model/fenced.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, more, notice } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openCase } from "../open-case.ts";
import { page } from "../page.ts";

/** What of one commit is worth its tokens: a caller who needs all of it reads the commit itself. */
const MESSAGE_CHARS = 300;
const FILES = 12;
const DIFF_SHOWN = 3_000;

/** So many commits are looked through at once. */
const COMMITS = 50;

export const getCommits = defineTool({
  name: "get_commits",
  title: "Get a change's commits",
  effect: "read",
  reach: "sources",
  description:
    "What a change brought: its commits, with message, files and, where the configuration allows it, the diff.",
  input: z.strictObject({ incident, change_id: z.string().min(1).max(300), cursor }),
  output: z.strictObject({ notice, commits: z.array(z.string()), more, gaps }),
  async run({ incident: of, change_id, cursor: at }, context, abort) {
    const { file } = await openCase(context, of);
    const change = file.changes.find(({ id }) => id === change_id || name(id) === change_id);
    if (change === undefined) {
      const reason = `there is no change ${name(change_id)}; call list_changes for those that there are`;
      throw new UnshipError("input.invalid", { what: "change_id", reason });
    }
    const asked = await askAll(
      context.sources.commits ?? [],
      { of: "changes", what: "commits" },
      (source) => source.commits(change, abort),
      abort,
    );
    const mayRead = context.config.model?.mayReadCode === true;
    const shown = page(
      asked.answers.flat().map((one) => commitText(one, mayRead)),
      { cursor: at, limit: COMMITS, question: { of, change_id } },
    );
    return { notice: UNTRUSTED_NOTICE, commits: [...shown.items], more: shown.more, gaps: gapViews(asked.gaps) };
  },
});

/** One commit in a text, what others wrote in quotes. */
function commitText({ sha, message, author, at, files = [], diff }: Commit, mayRead: boolean): Fenced {
  const by = author === undefined ? "" : own` by ${quote(author, 80)}`;
  const when = at === undefined ? "" : own` at ${rfc3339(at)}`;
  const listed = files.slice(0, FILES).map((path) => name(path));
  const rest = files.length > FILES ? [own`${files.length - FILES} more`] : [];
  const paths = files.length === 0 ? "" : own`; files: ${joined([...listed, ...rest], ", ")}`;
  const lines =
    diff === undefined
      ? ""
      : mayRead
        ? own`; diff: ${quote(diff, DIFF_SHOWN)}`
        : ours("; its diff may not be read (model.may_read_code)");
  return own`${name(sha)}${by}${when}: ${quote(message, MESSAGE_CHARS)}${paths}${lines}`;
}
