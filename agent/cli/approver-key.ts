import { UnshipError } from "../../core/errors.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/** 128 random bits in base64: nobody finds those by trying, and the public key stands where many can read it. */
const LEAST = 22;

/** `unship approver-key`: the public key of a personal token, for `approvers[].token_key`. It needs no configuration. */
export async function approverKeyLine(
  to: Composition,
  options: { readonly tokenFile?: string; readonly json?: JsonOption },
): Promise<ExitCode> {
  const key = await approverKeyOf(to, options.tokenFile);
  await present(to, options.json, { token_key: key }, [`token_key: "${key}"`]);
  return EXIT.ok;
}

/** The public key of a personal token, which a person types or a file holds. Throws "input.invalid" for one that can be guessed. */
export async function approverKeyOf(to: Composition, tokenFile: string | undefined): Promise<string> {
  const token = await tokenOf(to, tokenFile);
  if (token.length < LEAST) {
    const length = token === "" ? "it is empty" : `it has ${token.length} characters`;
    const reason = `${length}, and whoever reads the file could guess one of fewer than ${LEAST}; make one with openssl rand -hex 32`;
    throw new UnshipError("input.invalid", { what: "the token", reason });
  }
  return await to.approverKey(token);
}

async function tokenOf(to: Composition, file: string | undefined): Promise<string> {
  if (file !== undefined) return (await readFrom(to, file)).trim();
  if (to.terminal.askSecret !== null) return (await to.terminal.askSecret("Your personal token: ")).trim();
  const reason = "type it at a terminal, or name a file that holds it with --token-file";
  throw new UnshipError("input.invalid", { what: "the token", reason });
}

/** No answer of anybody is refused here: what is wrong is the file. */
async function readFrom(to: Composition, file: string): Promise<string> {
  try {
    return await to.readSecretFile(file, null);
  } catch (cause) {
    if (!(cause instanceof UnshipError) || cause.code !== "approval.refused") throw cause;
    throw new UnshipError("input.invalid", { what: "--token-file", reason: String(cause.facts.reason) }, { cause });
  }
}
