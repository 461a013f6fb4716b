import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { present } from "../../agent/cli/output.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { noChangeText } from "../../core/model/unheard.ts";
import type { Episode } from "../replay/episode.ts";
import { replayRecording } from "../replay/replay.ts";
import { gapLines, pastWindow, recordPast, samplesOf } from "./record-command.ts";

const Options = z.looseObject({
  config: z.string(),
  mode: z.string().optional(),
  from: z.number(),
  to: z.number(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/**
 * `unship backtest`: what today's policy would have done over past data of the live sources, as if in auto mode. The
 * past is read once into memory and replayed; nothing is written anywhere and no executor exists.
 */
export async function backtestCommand(
  to: Composition,
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config: file, mode = "auto", from, to: until, json } = Options.parse(given);
  const window = pastWindow(from, until, to.now());
  const { config } = await to.config({ config: file, mode }, "sources");
  const id = `${rfc3339(window.from)}/${rfc3339(window.to)}`;
  const recording = await recordPast(to, config, id, window, abort);
  const { episodes } = await replayRecording(recording.bundle, config, to.version, abort);
  const value = { id, mode, episodes, samples: samplesOf(recording), gaps: recording.gaps };
  await present(to, json, value, [
    `${id}, ${mode} mode, by ${file}: ${episodes.length === 0 ? "nothing called for a decision" : count(episodes.length)}`,
    ...episodes.flatMap(episodeLines),
    ...gapLines(recording),
    "Nothing was executed. What followed is what really happened, not what would have followed.",
  ]);
  return EXIT.ok;
}

const count = (episodes: number): string => (episodes === 1 ? "one episode" : `${episodes} episodes`);

function episodeLines(episode: Episode): readonly string[] {
  const { action, culprit, targets, guardrail, executed_at: executed } = episode;
  const decided = episode.decided ?? { action, culprit };
  const named =
    decided.culprit === null ? "" : ` of ${decided.culprit.change_id} (${likelihood(decided.culprit.probability)})`;
  const wouldHave =
    executed !== null
      ? `would have executed it at ${executed}${targets.length > 1 ? `, in the order ${targets.join(", ")}` : ""}`
      : guardrail === null
        ? "would have done nothing"
        : {
            allow: "would not have come to it",
            require_approval: "would have asked a person",
            deny: "the gate would have refused",
          }[guardrail.verdict];
  return [
    "",
    `${episode.detected_at}  ${episode.affected_services.join(", ") || episode.service}: ${episode.signals.join(", ") || "no signal"}`,
    `  decided ${episode.decided_at ?? "never"}: ${decided.action}${named}; ${episode.not_compared ?? `${noChangeText(episode.unheard ?? [])} is the culprit: ${likelihood(episode.no_change_probability)}`}`,
    `  ${wouldHave ?? "would have asked the gate"}`,
    ...(episode.came_to === undefined
      ? []
      : [`  it came to nothing: ${episode.came_to.outcome} at ${episode.came_to.at ?? "an unknown time"}`]),
    ...(guardrail === null ? [] : guardrail.reasons.map((reason) => `    ${reason}`)),
  ];
}
