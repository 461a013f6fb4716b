import { mkdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UnshipError } from "../../core/errors.ts";
import { unavailable } from "./failures.ts";

/** Links that lead to links: what Linux follows at most. @see man 7 path_resolution */
const MOST_LINKS = 40;

/**
 * The one name of a ledger's file, whichever link it is called by: its locks and its queue lie beside that name, so
 * that whoever opens the file by another one finds them. The file need not exist; its folder is made.
 *
 * Throws `ledger.unavailable` where the folder cannot be made, where links lead in a circle, and where the file has a
 * second name that is no link: SQLite then keeps its journal under each name, and the file is damaged.
 * @see https://sqlite.org/howtocorrupt.html#_multiple_links_to_the_same_file
 */
export function ledgerFile(path: string): string {
  try {
    const file = followed(resolve(path), MOST_LINKS);
    const names = statSync(file, { throwIfNoEntry: false })?.nlink ?? 1;
    if (names <= 1) return file;
    const reason = `${file} has ${names} names (hard links), under which its journals would differ; keep one`;
    throw new UnshipError("ledger.unavailable", { use: "opened", reason });
  } catch (error) {
    throw unavailable(error, "opened");
  }
}

function followed(path: string, links: number): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const named = join(realpathSync(dirname(path)), basename(path));
  const target = linkedTo(named);
  if (target === null) return named;
  if (links === 0) throw new Error(`${path} leads through more than ${MOST_LINKS} links`);
  return followed(resolve(dirname(named), target), links - 1);
}

/** Where a link leads; null where it is none, or nothing is there. */
function linkedTo(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
