import { rfc3339 } from "../../core/model/time.ts";
import type { WatchEvent } from "../watch/events.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";
import { createIncidentLabels } from "./incident-labels.ts";
import { jsonText, say } from "./output.ts";

/** Into a pipe, a file or as JSON: lines alone. */
const NO_HEARTBEAT: Heartbeat = { evaluated: () => undefined, above: (_, print) => print(), end: () => undefined };

/**
 * `unship watch`: the watch in the foreground, a line an event, and on a terminal one at its foot that says when the last evaluation
 * was and what is waited for; with `--json` a JSON line an event. Ends on SIGINT or SIGTERM.
 */
export async function watch(
  to: Composition,
  options: { readonly config?: string; readonly mode?: string; readonly json?: boolean },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "sources");
  const labels = createIncidentLabels();
  const print =
    options.json === true
      ? (event: WatchEvent) => to.terminal.out(`${jsonText(jsonEvent(event))}\n`)
      : (event: WatchEvent) => {
          const label = labels.next(event.incident);
          say(to, event.event === "watch.alive" ? [] : [line(event, label)]); // signs of life are for machines
        };
  const isSeen = to.terminal.isTty && options.json !== true;
  const heartbeat = isSeen ? createHeartbeat(to.terminal.out, () => to.terminal.columns) : NO_HEARTBEAT;
  if (options.json !== true) {
    say(to, [`unship ${to.version} watches, by ${file}. Ctrl-C ends it.`, (await to.explain(config))[0] ?? ""]);
  }
  const running = await to.watch(config, (event) => heartbeat.above(event, () => print(event)), heartbeat.evaluated);
  try {
    await running.run(abort);
    return EXIT.ok;
  } finally {
    heartbeat.end();
    await running.close();
  }
}

/** Events that begin or end an incident name it in full; between them its last part tells which one it is. */
const IN_FULL: readonly WatchEvent["event"][] = [
  "incident.detected",
  "incident.held",
  "incident.verified",
  "incident.closed",
];

/** `label`: what tells the incident apart from others that are open; "": nothing has to. */
function line({ at, event, text, incident }: WatchEvent, label: string): string {
  const id = incident === null ? "" : IN_FULL.includes(event) ? incident.id : incident.id.split("-").at(-1);
  const which = label === "" ? id : [...new Set([id, ...label.split(" ")])].filter((word) => word !== "").join(" ");
  return `${rfc3339(at).slice(11, 19)}Z ${event.padEnd(18)} ${which === "" ? "" : `[${which}] `}${text}`;
}

function jsonEvent({ at, event, text, incident, about, status }: WatchEvent) {
  const of = about === undefined ? {} : { about };
  return { at: rfc3339(at), event, text, incident, ...of, ...(status === undefined ? {} : { status }) };
}
