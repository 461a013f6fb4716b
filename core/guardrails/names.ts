import type { Config } from "../config/config.ts";
import type { Target } from "../model/plan.ts";

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

/** Names of workloads, flags and services in use are plain ASCII; anything else cannot be compared with certainty. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/.test(name);

/** The names that one target goes by, each with what it is: for lists that restrict. */
export interface TargetName {
  readonly name: string;
  readonly what: "service" | "workload" | "application" | "flag" | "flag owner" | "object";
}

/**
 * Every name of a target: the service that the plan claims, the object that would change, and each configured
 * service that this object belongs to, whatever the plan says.
 */
export function namesOf(target: Target, services: Config["services"]): readonly TargetName[] {
  const { namespace, name } = target.object;
  const own: TargetName[] = [
    { name: target.service, what: "service" },
    { name, what: "object" },
    { name: `${namespace}/${name}`, what: "object" },
  ];
  const related = servicesOf(target, services).flatMap((service): readonly TargetName[] => {
    const names = namesOfService(service, services);
    const isFlag = target.action === "feature_flag_disable";
    return isFlag ? names.map((one) => (one.what === "service" ? { ...one, what: "flag owner" } : one)) : names;
  });
  return [...own, ...related];
}

/** The names that a service of the file goes by. */
export function namesOfService(service: string, services: Config["services"]): readonly TargetName[] {
  const { workload = null, argocdApplication = null } = services[service] ?? {};
  return [
    { name: service, what: "service" },
    ...(workload === null ? [] : [{ name: workload.name, what: "workload" } as const]),
    ...(argocdApplication === null ? [] : [{ name: argocdApplication, what: "application" } as const]),
  ];
}

/** The configured services that a target belongs to: by the name it claims, by workload, application or flag. */
export function servicesOf(target: Target, services: Config["services"]): readonly string[] {
  const object = skeleton(target.object.name);
  const claimed = skeleton(target.service);
  return Object.entries(services)
    .filter(([service, config]) => {
      const belongs = [service, config.workload?.name, config.argocdApplication, ...config.flags].some(
        (name) => name !== null && name !== undefined && skeleton(name) === object,
      );
      return belongs || skeleton(service) === claimed;
    })
    .map(([service]) => service);
}

/** The first of a target's names that a restricting list holds or resembles. */
export function listedName(
  names: readonly TargetName[],
  list: readonly string[],
): { readonly name: TargetName; readonly entry: string; readonly exact: boolean } | undefined {
  for (const exact of [true, false]) {
    for (const name of names) {
      const entry = list.find((one) => (exact ? one === name.name : skeleton(one) === skeleton(name.name)));
      if (entry !== undefined) return { name, entry, exact };
    }
  }
  return undefined;
}
