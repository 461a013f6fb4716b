import { UnshipError } from "../../core/errors.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/** `unship approver-key`: the public key of a personal token, for `approvers[].token_key`. It needs no configuration. */
export async function approverKeyLine(
  to: Composition,
  options: { readonly tokenFile?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const token = await tokenOf(to, options.tokenFile);
  if (token === "") throw new UnshipError("input.invalid", { what: "the token", reason: "it is empty" });
  const key = await to.approverKey(token);
  await present(to, options.json, { token_key: key }, [`token_key: "${key}"`]);
  return EXIT.ok;
}

async function tokenOf(to: Composition, file: string | undefined): Promise<string> {
  if (file !== undefined) return (await to.readSecretFile(file, null)).trim();
  if (to.terminal.askSecret !== null) return (await to.terminal.askSecret("Your personal token: ")).trim();
  const reason = "type it at a terminal, or name a file that holds it with --token-file";
  throw new UnshipError("input.invalid", { what: "the token", reason });
}
