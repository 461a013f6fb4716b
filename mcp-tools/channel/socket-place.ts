import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

const OTHERS_WRITE = 0o022;
/** In a folder with it only the owner of an entry takes it away or renames it. @see man 7 inode */
const STICKY = 0o1000;

/**
 * Why somebody else could put a socket of their own where the gate's should be, and would be shown the agent's token and
 * what people approve with; null: nobody but root and the folder's owner can. `uid`: who has to own the folder, besides
 * root; null: anybody. A folder that cannot be looked at holds no socket either: that is said by whoever opens it.
 */
export function whyNotSafe(socket: string, uid: number | null): string | null {
  const folder = dirname(resolve(socket));
  for (let path = folder; ; path = dirname(path)) {
    const found = statOf(path);
    if (found === undefined) return null;
    const sticky = path !== folder && (found.mode & STICKY) !== 0;
    if ((found.mode & OTHERS_WRITE) !== 0 && !sticky) {
      return `others than its owner may write in ${path}, and could put a socket of their own there: chmod go-w ${path}`;
    }
    if (path === folder && uid !== null && found.uid !== uid && found.uid !== 0) {
      return `${path} is another user's, who could put a socket of their own there: make it the gate's`;
    }
    if (path === dirname(path)) return null;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
