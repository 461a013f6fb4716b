import { type Check, isMap, listAt, repeats, valueTroubleAt } from "./check.ts";

const textOf = (key: string) => (value: unknown) => {
  const text = isMap(value) ? value[key] : undefined;
  return typeof text === "string" ? text : null;
};

/**
 * Objects of two clusters may have one name and one version, and whatever acts would act in the first of them alone: the
 * second would be seen burning, and the first be taken back.
 */
export const oneSystemOfEachKind: Check = ({ file }) =>
  repeats(listAt(file, "data_sources", "deployments"), textOf("type")).map(({ path, first }) =>
    valueTroubleAt(
      [...path, "type"],
      `is the same as that of data_sources.deployments[${String(first.at(-1))}]`,
      "one of each kind: an act could not tell the two apart; a second cluster or server needs an unship of its own",
    ),
  );

/** What plans call a schema is all that tells which command to run. */
export const migrationsAreDistinct: Check = ({ file }) =>
  repeats(listAt(file, "data_sources", "migrations"), textOf("name")).map(({ path, first }) =>
    valueTroubleAt(
      [...path, "name"],
      `is the same as that of data_sources.migrations[${String(first.at(-1))}]`,
      "each schema has a name of its own",
    ),
  );
