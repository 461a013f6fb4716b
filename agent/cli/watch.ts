import { rfc3339 } from "../../core/model/time.ts";
import type { WatchEvent } from "../watch/events.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";

/** `unship watch`: the watch in the foreground, a line an event; with `--json` a JSON line an event. Ends on SIGINT or SIGTERM. */
export async function watch(
  to: Composition,
  options: { readonly config?: string; readonly mode?: string; readonly json?: boolean },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options);
  const print =
    options.json === true
      ? (event: WatchEvent) => to.terminal.out(`${JSON.stringify(jsonEvent(event))}\n`)
      : (event: WatchEvent) => to.terminal.out(`${line(event)}\n`);
  if (options.json !== true) {
    to.terminal.out(`unship ${to.version} watches with ${file}\n${(await to.explain(config))[0] ?? ""}\n`);
  }
  const running = await to.watch(config, print);
  try {
    await running.run(abort);
    return EXIT.ok;
  } finally {
    await running.close();
  }
}

function line({ at, event, text, incident }: WatchEvent): string {
  return `${rfc3339(at).slice(11, 19)}  ${event.padEnd(20)} ${incident === null ? "" : `[${incident.id}] `}${text}`;
}

function jsonEvent({ at, event, text, incident }: WatchEvent) {
  return { at: rfc3339(at), event, text, incident };
}
