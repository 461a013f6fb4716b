import { z } from "zod";
import { addressOf, isLoopback } from "../address.ts";
import { SECRET_FORMS } from "../variables.ts";
import { field, path, secret } from "./fields.ts";

/** The gate as a process of its own: where it answers, and how it knows the agent. */
export const Gate = z.strictObject({
  socket: field(
    path().optional(),
    "Path of the Unix socket at which `unship gate` answers. Whoever can open it can read the ledger and pause; its folder says who that is.",
    { unless: "none: then listen is needed" },
  ),
  listen: field(
    z
      .string()
      .superRefine((value, context) => {
        const address = addressOf(value);
        if (address !== null && isLoopback(address.host)) return;
        const params = { hint: 'write "127.0.0.1:7333", say: an address of this machine alone, and a port' };
        context.addIssue({ code: "custom", message: "is no address of the loopback", params });
      })
      .optional(),
    "Address on the loopback at which it answers instead. Every call needs the token there.",
    { unless: "none: then socket is needed" },
  ),
  token: field(
    secret(),
    `What the agent shows to the gate, random and known to these two alone, as ${SECRET_FORMS}. It approves nothing.`,
  ),
});
