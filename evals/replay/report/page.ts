import { likelihood } from "../../../core/model/likelihood.ts";
import { noChangeText } from "../../../core/model/unheard.ts";
import { offset } from "../../../knowledge/postmortem/figures.ts";
import { escapeHtml } from "../../../knowledge/postmortem-html.ts";
import type { TruthFile } from "../bundle-schema.ts";
import type { Episode } from "../episode.ts";
import type { Group, Scores } from "../score.ts";
import { figure, GROUP_TITLES, groupRows } from "../score-text.ts";
import type { Sketch } from "../sketch.ts";
import { delayChart, reliabilityChart, timelineChart } from "./charts.ts";

export interface ReportBundle {
  readonly id: string;
  readonly episodes: readonly Episode[];
  readonly truth: TruthFile | null;
  readonly sketch: Sketch;
}

export interface ReportInput {
  readonly version: string;
  /** As people know it: the file's name, or the default's. */
  readonly configuration: string;
  readonly scores: Scores;
  readonly bundles: readonly ReportBundle[];
}

/**
 * A replay's report as one HTML page that loads nothing and runs nothing: figures, charts, tables, and a timeline of
 * each bundle; those that went wrong stand first and open. The same input gives the same bytes.
 */
export async function reportPage({ version, configuration, scores, bundles }: ReportInput): Promise<string> {
  const because = new Map(scores.wrong.map((one) => [one.id, one.because]));
  const ordered = [...bundles.filter(({ id }) => because.has(id)), ...bundles.filter(({ id }) => !because.has(id))];
  const sections: string[] = [];
  for (const bundle of ordered) sections.push(await bundleSection(bundle, because.get(bundle.id) ?? null));
  const [reliable, delays] = [await reliabilityChart(scores.reliability), await delayChart(scores)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Replay of ${scores.bundles} recorded incidents</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Replay of ${scores.bundles} recorded incidents</h1>
<p class="sub">unship ${escapeHtml(version)}, configuration ${escapeHtml(configuration)}. Nothing was executed; times are UTC.</p>
${tiles(scores)}
<div class="pair">
<figure>${image(reliable, "Claimed probabilities against how often they are so")}
<figcaption><b>Are its probabilities true?</b> On the dashed line what was claimed is what is so. Numbers: claims; whiskers: 95 % intervals.</figcaption></figure>
<figure>${image(delays, "Share of found bundles by seconds since onset")}
<figcaption><b>How fast?</b> Share of what was found that was decided, and executed, so many seconds after the true onset.</figcaption></figure>
</div>
${wrongTable(scores)}
${groupTable("What is right", scores.byTruth)}
${groupTable("Family", scores.byFamily)}
<h2>Bundle by bundle</h2>
<p class="sub">In the charts: what was before the watch is on grey. Changes: <b class="red">the culprit</b>, <b class="green">rolled back</b>, others grey. <b class="pink">Onset</b> is the truth's, which the replay never saw.</p>
${sections.join("\n")}
</body>
</html>
`;
}

const image = (svg: string, words: string): string =>
  `<img loading="lazy" decoding="async" alt="${escapeHtml(words)}" src="data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}">`;

function tiles(scores: Scores): string {
  const seconds = (value: number | null) => (value === null ? "–" : `${Math.round(value)} s`);
  const all: readonly (readonly [string, string, string])[] = [
    ["precision", figure(scores.precision), `${scores.falsePositives} false`],
    ["recall", figure(scores.recall), `${scores.truePositives} of ${scores.faulty} found`],
    ["culprit first", figure(scores.culpritTop1), "of faulty bundles"],
    ["Brier", figure(scores.brier), "0 is perfect"],
    ["to decision", seconds(scores.decisionDelaySeconds), "median from onset"],
    ["to execution", seconds(scores.executionDelaySeconds), `median of ${scores.executionDelays.length}`],
  ];
  return `<div class="tiles">${all.map(([name, value, more]) => `<div><span>${name}</span><strong>${value}</strong><span>${more}</span></div>`).join("")}</div>`;
}

function wrongTable({ wrong }: Scores): string {
  if (wrong.length === 0) return `<h2>What was wrong</h2>\n<p class="good">Nothing.</p>`;
  const rows = wrong.map(
    ({ id, because }) => `<tr><td class="id">${link(id)}</td><td>${escapeHtml(because)}</td></tr>`,
  );
  return `<h2>What was wrong</h2>\n<table><thead><tr><th>bundle</th><th>why</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

const link = (id: string): string => `<a href="#${anchor(id)}">${escapeHtml(id)}</a>`;
const anchor = (id: string): string => `b-${encodeURIComponent(id)}`;

function groupTable(title: string, groups: readonly Group[]): string {
  if (groups.length === 0) return "";
  const rows = groupRows(groups).map(
    (row) =>
      `<tr>${row.map((cell, at) => `<td${at === 0 ? "" : ' class="n"'}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const heads = GROUP_TITLES.map((one) => `<th class="n">${one}</th>`).join("");
  return `<table><thead><tr><th>${title}</th>${heads}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

async function bundleSection({ id, episodes, truth, sketch }: ReportBundle, wrong: string | null): Promise<string> {
  const episode = episodes.find(({ action }) => action !== "no_action") ?? episodes[0];
  const chart = await timelineChart(sketch, episode, truth);
  const verdict = truth === null ? "" : wrong === null ? '<b class="green">right</b>' : '<b class="red">wrong</b>';
  const title = sketch.title === id ? "" : ` <span class="sub">${escapeHtml(sketch.title)}</span>`;
  const family = typeof truth?.family === "string" ? ` <span class="tag">${escapeHtml(truth.family)}</span>` : "";
  return `<details id="${anchor(id)}"${wrong === null ? "" : " open"}>
<summary><b>${escapeHtml(id)}</b>${title}${family} ${escapeHtml(headline(episode))} ${verdict}</summary>
${wrong === null ? "" : `<p class="bad">${escapeHtml(wrong)}</p>`}
${image(chart, `Timeline of ${id}`)}
${episodes.map((one) => episodeWords(one, truth)).join("\n")}
</details>`;
}

function headline(episode: Episode | undefined): string {
  if (episode === undefined) return "nothing called for a decision";
  if (episode.decided !== undefined) {
    const of = episode.decided.culprit === null ? "" : ` of ${episode.decided.culprit.change_id}`;
    return `${episode.decided.action}${of}, ${episode.came_to?.outcome ?? "which came to nothing"}`;
  }
  const culprit = episode.culprit === null ? "" : ` of ${episode.culprit.change_id}`;
  return `${episode.action}${episode.action === "no_action" ? "" : culprit}`;
}

const SUSPECTS_SHOWN = 5;
const REASONS_SHOWN = 4;

function episodeWords(episode: Episode, truth: TruthFile | null): string {
  const onset = truth?.onset ?? null;
  const when = (at: string | null) => {
    if (at === null) return "never";
    const clock = at.slice(11, 19);
    return onset === null ? clock : `${clock} (${offset(Date.parse(at), onset)})`;
  };
  const suspects = [
    ...episode.candidates.slice(0, SUSPECTS_SHOWN).map((one) => [one.change_id, one.probability] as const),
    ...(episode.not_compared === undefined
      ? [[noChangeText(episode.unheard ?? []), episode.no_change_probability] as const]
      : []),
  ].map(
    ([name, chance]) =>
      `<tr><td>${escapeHtml(name)}</td><td class="n">${likelihood(chance)}</td><td class="bar"><i style="width:${(chance * 100).toFixed(1)}%"></i></td></tr>`,
  );
  const facts: readonly (readonly [string, string])[] = [
    ["detected", when(episode.detected_at)],
    ["onset, estimated", when(episode.onset_estimate)],
    ["decided", `${when(episode.decided_at)}: ${headline(episode)}`],
    ["executed", when(episode.executed_at)],
    [
      "seen in",
      `${episode.signals.join(", ") || "nothing"} of ${episode.affected_services.join(", ") || episode.service}`,
    ],
    [
      "starts at",
      episode.root_causes
        .slice(0, 3)
        .map(({ service }) => service)
        .join(", then ") || "unknown",
    ],
    ["impact", episode.business_impact ?? "unknown"],
    ["gate", gateWords(episode)],
    ...(episode.targets.length > 1 ? [["in this order", episode.targets.join(", ")] as const] : []),
  ];
  const none =
    episode.not_compared === undefined ? "" : `<tr><td colspan="3">${escapeHtml(episode.not_compared)}</td></tr>`;
  const rows = facts.map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`);
  return `<div class="pair"><table>${rows.join("")}</table><table><thead><tr><th>suspect</th><th class="n">probability</th><th></th></tr></thead><tbody>${suspects.join("")}${none}</tbody></table></div>`;
}

function gateWords({ guardrail }: Episode): string {
  if (guardrail === null) return "not asked";
  const more = guardrail.reasons.length - REASONS_SHOWN;
  const reasons = guardrail.reasons.slice(0, REASONS_SHOWN).join("; ");
  return `${guardrail.verdict}${reasons === "" ? "" : `: ${reasons}`}${more > 0 ? `; and ${more} more` : ""}`;
}

const STYLE =
  "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#22262b;background:#fff}" +
  "h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}.sub{color:#5d646d}p.sub{margin:.2rem 0 1rem}" +
  ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.6rem;margin:1rem 0}" +
  ".tiles div{border:1px solid #e1e4e8;border-radius:8px;padding:.5rem .8rem;display:flex;flex-direction:column}" +
  ".tiles strong{font-size:1.5rem;line-height:1.3}.tiles span{color:#5d646d;font-size:.85rem}" +
  ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem;align-items:start}" +
  "figure{margin:0}figcaption{color:#5d646d;font-size:.88rem}img{max-width:100%;height:auto}" +
  "table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem;font-size:.92rem}" +
  "th,td{border-bottom:1px solid #e9ebee;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}" +
  "thead th{color:#5d646d;font-weight:600}tbody th,table:not(:has(thead)) th{font-weight:400;color:#5d646d;width:8.5rem}" +
  ".id{white-space:nowrap}.n{text-align:right;white-space:nowrap}.bar{width:30%}.bar i{display:block;height:.8em;margin-top:.35em;background:#0072B2;border-radius:2px;min-width:1px}" +
  "details{border:1px solid #e1e4e8;border-radius:8px;padding:.4rem .8rem;margin:.5rem 0;content-visibility:auto;contain-intrinsic-size:auto 2.6rem}" +
  "summary{cursor:pointer}.tag{background:#f0f2f4;border-radius:4px;padding:0 .4em;font-size:.85rem;color:#5d646d}" +
  ".green{color:#00805c}.red{color:#c04a00}.pink{color:#a8507f}.bad{background:#fdf1ea;padding:.4rem .6rem;border-radius:6px}.good{color:#00805c}";
