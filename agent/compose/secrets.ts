import { readFileSync } from "node:fs";
import type { SecretRef } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value behind a reference; only the command that needs it asks (S10). Throws "input.invalid" naming what is unset. */
export function secret(reference: SecretRef, environment: Environment): string {
  switch (reference.from) {
    case "text":
      return reference.value;
    case "env": {
      const value = environment[reference.name];
      if (value === undefined || value === "") {
        throw new UnshipError("input.invalid", { what: `\${${reference.name}}`, reason: "the variable is not set" });
      }
      return value;
    }
    case "file":
      try {
        return readFileSync(reference.path, "utf8").trim();
      } catch (cause) {
        throw new UnshipError(
          "input.invalid",
          { what: `\${file:${reference.path}}`, reason: "the file cannot be read" },
          { cause },
        );
      }
  }
}
