/**
 * Groups log messages by their constant part while they stream by, after Drain: a message goes down a tree of fixed
 * depth by its number of words and its first words to a small list of groups; it joins the one that it shares most
 * words with, if those are at least half, and words that differ become variables ("*").
 * Work: O(words) a message, and less for words that were met before; where more groups are met than are kept, O(groups
 * kept). Memory: bounded by the limits below; the group that was met longest ago is forgotten first.
 * @see He, Zhu, Zheng & Lyu (2017), "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS, 33–40,
 *   doi:10.1109/ICWS.2017.13 (§III; depth and similarity threshold as in its evaluation, table III)
 */
export interface TemplateMiner {
  /** The group of a message: the same object for every message that is of one group. */
  add(message: string): Template;
}

/** A group of messages. Its words may turn into variables as more messages join it. */
export interface Template {
  words: readonly string[];
  count: number;
}

/** Words of a message that lead down the tree, after their number. */
const LEADING_WORDS = 2;
/** At least so many of the words are alike. */
const SIMILAR = 0.5;
/** Different words at one place of the tree; more of them share one branch. */
const MOST_BRANCHES = 100;
/** Groups that share number and leading words: more of them are variants of one message in disguise. */
const MOST_ALIKE = 64;
/** Groups kept. A service writes some dozens, seldom hundreds. */
const MOST_TEMPLATES = 2000;
/** What is longer is cut: a stack trace says what it is in its first words. */
const MOST_WORDS = 40;
const VARIABLE = "*";

/**
 * What certainly varies becomes "#": quoted text, identifiers, addresses, numbers. White space is joined. At most 200
 * characters are kept.
 */
export function masked(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'/g, "#")
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{20,}\b/gi, "#")
    .replaceAll(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b/gi, "#")
    .replaceAll(/\d+(?:[.:,]\d+)*/g, "#")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 200);
}

/** So many messages are known as words, up to so long: whoever looks at an open incident reads the same lines again. */
const MOST_KNOWN = 8192;
const LONGEST_KNOWN = 1000;
const knownWords = new Map<string, readonly string[]>();
/** One list for all messages that differ in what is masked alone. */
const sharedWords = new Map<string, readonly string[]>();

function wordsOf(message: string): readonly string[] {
  const known = knownWords.get(message);
  if (known !== undefined) return known;
  const text = masked(message);
  const words = sharedWords.get(text) ?? text.split(" ").slice(0, MOST_WORDS);
  if (message.length > LONGEST_KNOWN) return words;
  if (knownWords.size >= MOST_KNOWN) {
    knownWords.clear();
    sharedWords.clear();
  }
  knownWords.set(message, words);
  sharedWords.set(text, words);
  return words;
}

export const templateText = ({ words }: Template): string => words.join(" ");

/** Groups that share number and leading words. */
interface Leaf {
  readonly path: string;
  readonly groups: Held[];
  /** Counts every change of its groups. */
  version: number;
}

interface Held extends Template {
  readonly leaf: Leaf;
  /** Which message was the last that joined it. */
  metAt: number;
}

/** Which group a list of words joined when its leaf was last like this. */
interface Way {
  readonly group: Held;
  readonly version: number;
}

export function createTemplateMiner(): TemplateMiner {
  const leaves = new Map<string, Leaf>();
  const branches = new Map<string, Set<string>>();
  const kept = new Set<Held>();
  const ways = new Map<readonly string[], Way>();
  let met = 0;
  const leafOf = (words: readonly string[]): Leaf => {
    let path = String(words.length);
    for (const word of words.slice(0, LEADING_WORDS)) {
      const known = branches.get(path) ?? new Set<string>();
      branches.set(path, known);
      const open = known.has(word) || known.size < MOST_BRANCHES;
      const branch = word.includes("#") || !open ? VARIABLE : word;
      known.add(branch);
      path = `${path} ${branch}`;
    }
    const leaf = leaves.get(path) ?? { path, groups: [], version: 0 };
    leaves.set(path, leaf);
    return leaf;
  };
  const join = (words: readonly string[]): Held => {
    const leaf = leafOf(words);
    const found = nearest(leaf.groups, words);
    const group = found ?? { words, count: 0, leaf, metAt: 0 };
    if (found === null) {
      leaf.groups.push(group);
      leaf.version += 1;
      kept.add(group);
      const crowded = leaf.groups.length > MOST_ALIKE ? leaf.groups.shift() : undefined;
      if (crowded !== undefined) kept.delete(crowded);
    } else if (group.words.some((word, i) => word !== words[i] && word !== VARIABLE)) {
      group.words = group.words.map((word, i) => (word === words[i] ? word : VARIABLE));
      leaf.version += 1;
    }
    return group;
  };
  return {
    add(message) {
      const words = wordsOf(message);
      const way = ways.get(words);
      const isSame = way !== undefined && way.version === way.group.leaf.version;
      const group = isSame ? way.group : join(words);
      if (!isSame) ways.set(words, { group, version: group.leaf.version });
      group.count += 1;
      met += 1;
      group.metAt = met;
      if (kept.size > MOST_TEMPLATES) {
        forgetOldest(kept, leaves, branches);
        // Where a branch is free again, words may go another way.
        ways.clear();
      }
      return group;
    },
  };
}

/** The group that shares most words, variables counting for nothing; null where none shares enough. */
function nearest(groups: readonly Held[], words: readonly string[]): Held | null {
  let best: Held | null = null;
  let most = SIMILAR * words.length;
  for (const one of groups) {
    let alike = 0;
    for (let i = 0; i < one.words.length; i++) if (one.words[i] === words[i]) alike += 1;
    if (alike > most || (alike === most && best === null)) {
      best = one;
      most = alike;
    }
  }
  return best;
}

function forgetOldest(kept: Set<Held>, leaves: Map<string, Leaf>, branches: Map<string, Set<string>>): void {
  let oldest: Held | undefined;
  for (const one of kept) if (oldest === undefined || one.metAt < oldest.metAt) oldest = one;
  if (oldest === undefined) return;
  kept.delete(oldest);
  const { path, groups } = oldest.leaf;
  groups.splice(groups.indexOf(oldest), 1);
  if (groups.length > 0) return;
  leaves.delete(path);
  const [parent, word] = [path.slice(0, path.lastIndexOf(" ")), path.slice(path.lastIndexOf(" ") + 1)];
  branches.get(parent)?.delete(word);
}
