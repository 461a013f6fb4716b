import { clock, type Fact, facts, figure, type Says, share } from "./facts.ts";

/** What a postmortem says, its Markdown and its HTML read alike: the summary, each of its tables, and the timeline apart. */
export function saidByDraft(where: string, draft: string, now: number): readonly Fact[] {
  const text = plain(draft);
  const part = (title: string) => sectionOf(text, title);
  const summary = part("Summary");
  const [impact, suspects, done] = [
    part("Impact"),
    part("Why this change and not the others") || part("Which changes were compared"),
    part("What was done, and under which rule"),
  ];
  const [, blamed, sure] = /The most probable cause is .*?\((\S+)\), at (.*? %)\./.exec(summary) ?? [];
  const none = /The cause was not found: .*? is ((?:[<>] )?[\d.]+ %)\./.exec(summary)?.[1];
  const row = (name: string) => new RegExp(`^\\| ${name} \\| (.*?) \\|$`, "m").exec(impact)?.[1];
  const timeline = part("Timeline");
  const gate =
    /The gate on plan .*?: (executed|held|denied|stopped|not known whether it was executed|nothing-to-do|in-progress)\b(.*)$/m.exec(
      done,
    );
  const executed = gate?.[1] === "executed";
  const said: readonly (readonly [string, Says])[] = [
    [
      "summary",
      {
        culprit: blamed ?? (none === undefined ? undefined : null),
        probability: share(sure),
        "no change": share(none),
        onset: clock(/From about (\S+ \S+) UTC/.exec(summary)?.[1], now),
        "detected at":
          clock(/unship noticed \S+ (?:later|after the first signal \(\S+\)), at (\S+?)\./.exec(summary)?.[1], now) ??
          clock(/At (\S+ \S+) UTC unship noticed/.exec(summary)?.[1], now),
        "worst impact level": /The business impact was (\w+)/.exec(summary)?.[1],
        "worst failed share": share(/: ([\d.]+ %) of requests failed/.exec(summary)?.[1]),
        ...(/At (\S+) unship (?!noticed)/.test(summary) && executed
          ? { "executed at": clock(/At (\S+) unship (?!noticed)/.exec(summary)?.[1], now) }
          : {}),
      },
    ],
    [
      "impact",
      {
        "worst impact level": row("Level"),
        "affected ever": row("Affected services")?.split(", "),
        "worst failed share": share(row("Failed share of requests at its worst(?:, at \\S+)?")),
        "failed requests": figure(row("Failed requests a second")),
      },
    ],
    ["impact's sentences", { "worst failed share": share(/([\d.]+ %) of requests fail(?:ed)? at/.exec(impact)?.[1]) }],
    [
      "suspects",
      {
        ...(blamed === undefined
          ? {}
          : {
              probability: share(
                new RegExp(`^\\| ${escaped(blamed)}: .*? \\| ((?:[<>] )?[\\d.]+ %) \\|`, "m").exec(suspects)?.[1],
              ),
            }),
        "no change": share(/^\| No (?:known )?change is the culprit \| ((?:[<>] )?[\d.]+ %) \|/m.exec(suspects)?.[1]),
        "known of changes": /^\| (No (?:known )?change) is the culprit/m.exec(suspects)?.[1]?.toLowerCase(),
      },
    ],
    [
      "actions",
      {
        action: ACTIONS[/^Decided at \S+: ([\w ]+)\./m.exec(done)?.[1] ?? ""],
        "decided at": clock(/^Decided at (\S+): /m.exec(done)?.[1], now),
        executed: executed ? "yes" : "no",
        approver: executed ? approversIn(gate?.[2] ?? "") : undefined,
        recovery: /^Verification: ([\w-]+?)(?: at|\.)/m.exec(done)?.[1] ?? null,
      },
    ],
    ["timeline", { onset: clock(/^\| (\S+) \| \S+ \| onset \|/m.exec(timeline)?.[1], now) }],
  ];
  return said.flatMap(([which, says]) => facts(`${where}, ${which}`, says));
}

const ACTIONS: Readonly<Record<string, string>> = {
  rollback: "rollback",
  "flag off": "feature_flag_disable",
  "hotfix recommended": "hotfix_recommendation",
  "no action": "no_action",
};

/** "executed, approved by ada and grace" against "executed (allow), without a person"; undefined where it says neither. */
export const approversIn = (text: string): readonly string[] | undefined => {
  if (/without a person/.test(text)) return [];
  return /approved by (.+?)(?: at \d|[.(]|$)/.exec(text)?.[1]?.split(" and ");
};

/** A draft without marks: tables are rows of cells in both, whatever the format. */
function plain(draft: string): string {
  if (!draft.trimStart().startsWith("<")) return draft.replaceAll(/[`*\\]/g, "");
  return draft
    .replaceAll(/<\/t[dh]>\s*<t[dh][^>]*>/g, " | ")
    .replaceAll(/<tr[^>]*>\s*<t[dh][^>]*>/g, "\n| ")
    .replaceAll(/<\/t[dh]>\s*<\/tr>/g, " |\n")
    .replaceAll(/<h2[^>]*>/g, "\n## ")
    .replaceAll(/<\/(?:h\d|p|li|ul|table)>/g, "\n")
    .replaceAll(/<br\s*\/?>/g, "<br>")
    .replaceAll(/<(?!br>)[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

function sectionOf(text: string, title: string): string {
  const [, after = ""] = text.split(`\n## ${title}\n`);
  return after.split("\n## ")[0] ?? "";
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
