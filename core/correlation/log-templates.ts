/**
 * Groups log messages by their constant part while they stream by, after Drain: a message goes down a tree of fixed
 * depth by its number of words and its first words to a small list of groups; it joins the one that it shares most
 * words with, if those are at least half, and words that differ become variables ("*").
 * Work: O(words) a message. Memory: bounded by the limits below; the group that was met longest ago is forgotten first.
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

function wordsOf(message: string): readonly string[] {
  const known = knownWords.get(message);
  if (known !== undefined) return known;
  const words = masked(message).split(" ").slice(0, MOST_WORDS);
  if (message.length > LONGEST_KNOWN) return words;
  if (knownWords.size >= MOST_KNOWN) knownWords.clear();
  knownWords.set(message, words);
  return words;
}

export const templateText = ({ words }: Template): string => words.join(" ");

export function createTemplateMiner(): TemplateMiner {
  const leaves = new Map<string, Template[]>();
  const branches = new Map<string, Set<string>>();
  const met = new Map<Template, string>(); // least recently met first
  const leafOf = (words: readonly string[]): string => {
    let path = String(words.length);
    for (const word of words.slice(0, LEADING_WORDS)) {
      const known = branches.get(path) ?? new Set<string>();
      branches.set(path, known);
      const open = known.has(word) || known.size < MOST_BRANCHES;
      const branch = word.includes("#") || !open ? VARIABLE : word;
      known.add(branch);
      path = `${path} ${branch}`;
    }
    return path;
  };
  return {
    add(message) {
      const words = wordsOf(message);
      const path = leafOf(words);
      const group = leaves.get(path) ?? [];
      leaves.set(path, group);
      const found = nearest(group, words);
      const template = found ?? { words, count: 0 };
      if (found === null) group.push(template);
      const crowded = group.length > MOST_ALIKE ? group.shift() : undefined;
      if (crowded !== undefined) met.delete(crowded);
      if (template.words.some((word, i) => word !== words[i] && word !== VARIABLE))
        template.words = template.words.map((word, i) => (word === words[i] ? word : VARIABLE));
      template.count += 1;
      met.delete(template);
      met.set(template, path);
      if (met.size > MOST_TEMPLATES) forgetOldest(met, leaves, branches);
      return template;
    },
  };
}

/** The group that shares most words, variables counting for nothing; null where none shares enough. */
function nearest(group: readonly Template[], words: readonly string[]): Template | null {
  let best: Template | null = null;
  let most = SIMILAR * words.length;
  for (const one of group) {
    let alike = 0;
    for (let i = 0; i < one.words.length; i++) if (one.words[i] === words[i]) alike += 1;
    if (alike > most || (alike === most && best === null)) {
      best = one;
      most = alike;
    }
  }
  return best;
}

function forgetOldest(
  met: Map<Template, string>,
  leaves: Map<string, Template[]>,
  branches: Map<string, Set<string>>,
): void {
  const oldest = met.entries().next().value;
  if (oldest === undefined) return;
  const [template, path] = oldest;
  met.delete(template);
  const rest = (leaves.get(path) ?? []).filter((one) => one !== template);
  if (rest.length > 0) {
    leaves.set(path, rest);
    return;
  }
  leaves.delete(path);
  const [parent, word] = [path.slice(0, path.lastIndexOf(" ")), path.slice(path.lastIndexOf(" ") + 1)];
  branches.get(parent)?.delete(word);
}
