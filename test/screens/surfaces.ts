import type { Command } from "commander";

/** Every command that does something, as a person types it: "audit verify". */
export const leavesOf = (command: Command, before = ""): readonly string[] =>
  command.commands.flatMap((one) => {
    const path = before === "" ? one.name() : `${before} ${one.name()}`;
    return one.commands.length === 0 ? [path] : leavesOf(one, path);
  });
