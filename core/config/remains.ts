import { isMap } from "./checks/check.ts";
import { readYaml } from "./yaml-tree.ts";

/** A file that names this ledger (or gate) and nothing else, made of what can be read of one that has problems. */
export interface Remains {
  /** As text for `loadConfig`, which judges it as it does any other. */
  readonly text: string;
  /** Whether the file, read to its end, names the place itself; else only somebody at work there can show that it is right. */
  readonly isNamed: boolean;
  /** Services that it names; null: not all of it could be read. */
  readonly services: readonly string[] | null;
}

/** Lines that are taken off a broken text at most, to find what stands before: somebody writes the file at this moment. */
const MOST_TAKEN_OFF = 200;
/** Any source; nothing is asked of it. */
const NO_SOURCES = { metrics: { type: "prometheus", endpoint: "http://127.0.0.1:9" } };

/**
 * Where the record of a file may be that cannot be used, the likeliest first: the place that it names, if any of that can
 * be read, and the default one. For a pause alone, which must not wait until a file is mended (S8, S14). Pure and total.
 */
export function remainsOf(text: string): readonly Remains[] {
  const { root, isWhole } = rootOf(text);
  const { ledger, gate, services } = isMap(root) ? root : ({} as Readonly<Record<string, unknown>>);
  const names = isWhole && (services === undefined || isMap(services)) ? Object.keys(services ?? {}) : null;
  const of = (named: object, isNamed: boolean): Remains => ({
    text: JSON.stringify({ data_sources: NO_SOURCES, ...named }),
    isNamed,
    services: names,
  });
  const named = { ...(isMap(ledger) ? { ledger } : {}), ...(isMap(gate) ? { gate } : {}) };
  const standsThere =
    isMap(gate) || (isMap(ledger) && (typeof ledger.path === "string" || typeof ledger.url === "string"));
  return [...(standsThere ? [of(named, isWhole)] : []), of({}, false)];
}

function rootOf(text: string): { readonly root: unknown; readonly isWhole: boolean } {
  const tree = readYaml(text);
  if (tree.root !== undefined) return { root: tree.root, isWhole: tree.faults.length === 0 };
  const lines = text.split("\n");
  for (let left = lines.length - 1; left > 0 && left >= lines.length - MOST_TAKEN_OFF; left -= 1) {
    const { root } = readYaml(lines.slice(0, left).join("\n"));
    if (root !== undefined) return { root, isWhole: false };
  }
  return { root: undefined, isWhole: false };
}
