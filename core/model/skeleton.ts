/**
 * Letters of other scripts that are drawn like Latin ones: Cyrillic, Greek, Armenian and a few marks. Not the whole
 * of Unicode's table: a name with any other letter outside ASCII goes to a person anyway (`unusual-name`), so this
 * only has to make the reason clear for the common ones.
 * @see Unicode Technical Standard 39, section 4, confusables.txt
 */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  а: "a",
  в: "b",
  с: "c",
  ԁ: "d",
  е: "e",
  һ: "h",
  і: "i",
  ј: "j",
  к: "k",
  ӏ: "l",
  м: "m",
  н: "h",
  о: "o",
  р: "p",
  ԛ: "q",
  ѕ: "s",
  т: "t",
  у: "y",
  ѵ: "v",
  ԝ: "w",
  х: "x",
  α: "a",
  β: "b",
  ε: "e",
  η: "n",
  ι: "i",
  κ: "k",
  ν: "v",
  ο: "o",
  ρ: "p",
  σ: "o",
  τ: "t",
  υ: "u",
  χ: "x",
  ս: "u",
  ո: "n",
  օ: "o",
  ց: "g",
  զ: "q",
  ı: "i",
  ɡ: "g",
  ɩ: "i",
  "‐": "-",
  "‑": "-",
  "–": "-",
  "—": "-",
  "−": "-",
};

/**
 * What a name looks like: equal for names that a tired person would take for the same. Compatibility forms, case,
 * accents, invisible characters and look-alike letters are folded; so are 0/o, 1/i/l/|, rn/m and the separators.
 * It matches too much rather than too little: use it only to make something stricter, never to allow.
 */
export function skeleton(name: string): string {
  const known = skeletons.get(name);
  if (known !== undefined) return known;
  const made = newSkeleton(name);
  if (skeletons.size >= MOST_KNOWN) skeletons.clear();
  skeletons.set(name, made);
  return made;
}

/** The names of a file are compared with those of targets at every look at a plan that waits. */
const MOST_KNOWN = 4096;
const skeletons = new Map<string, string>();

function newSkeleton(name: string): string {
  const folded = name
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}\p{C}]/gu, "")
    .toLowerCase();
  return [...folded]
    .map((letter) => LOOK_ALIKES[letter] ?? letter)
    .join("")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[0]/g, "o")
    .replaceAll(/[1i|!]/g, "l")
    .replaceAll("rn", "m")
    .replaceAll(/[\s_.:-]+/gu, "-");
}
