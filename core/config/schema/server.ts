import { z } from "zod";
import { addressOf } from "../address.ts";
import { field, name } from "./fields.ts";

const Token = z.strictObject({
  name: field(name(), "Who calls with it, as the ledger will name them."),
  token_sha256: field(
    z.string().superRefine((value, context) => {
      if (/^[0-9a-f]{64}$/i.test(value)) return;
      const params = { hint: '64 hexadecimal digits: printf %s "$TOKEN" | sha256sum' };
      context.addIssue({ code: "custom", message: "is no SHA-256", params });
    }),
    "SHA-256 of the bearer token, which should be random (openssl rand -hex 32). The token itself stands nowhere.",
    { unit: "64 hexadecimal digits" },
  ),
  read_only: field(z.boolean().default(false), "Whether what proposes and submits is not even offered with it."),
});

/** What is served over HTTP, and to whom: approvals beside `unship watch`, and `unship mcp --http`. */
export const Server = z.strictObject({
  listen: field(
    z
      .string()
      .superRefine((value, context) => {
        if (addressOf(value) !== null) return;
        const params = { hint: 'an address and a port: "127.0.0.1:7332", or ":7332" for this machine alone' };
        context.addIssue({ code: "custom", message: "is no address", params });
      })
      .optional(),
    "Where approvers answer over HTTP while `unship watch` runs. It speaks no TLS: beyond this machine put a proxy that does before it.",
    { unless: "nowhere: approvers answer with `unship approve` alone" },
  ),
  tokens: field(
    z.array(Token).default([]),
    "Bearer tokens of callers of `unship mcp --http`. Without any, only this machine can call it. None of them approves anything.",
  ),
  hosts: field(
    z.array(name().regex(/^[a-z0-9._-]+$/)).default([]),
    "Host names, in lower case and without port, by which it is called beside those of the loopback.",
  ),
  origins: field(
    z.array(name().regex(/^https?:\/\/[^/]+$/)).default([]),
    "Origins of web pages that may call, such as https://console.example.",
  ),
  requests_per_minute: field(z.int().min(1).default(120), "Most requests of one caller in a minute.", {
    unit: "requests",
  }),
});
