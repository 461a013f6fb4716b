import type { IncomingMessage, ServerResponse } from "node:http";
import { parse as parseYaml } from "yaml";
import { badRequest } from "../api-error.ts";
import { encodeJson, type Json } from "../json.ts";
import { PATCH_TYPES, unsupportedMediaType } from "../patch/apply-patch.ts";

/** A request as the handlers see it. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly accept: string;
  readonly userAgent: string;
  readonly token: string | undefined;
  readonly body: Json | undefined;
}

/** Largest body that an API server takes, in bytes. */
const BODY_LIMIT = 3 * 1024 * 1024;

/** Reads a request whole. Throws 400, 413 or 415 for a body that cannot be used. */
export async function readRequest(request: IncomingMessage): Promise<ApiRequest> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const contentType = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    contentType,
    accept: request.headers.accept ?? "",
    userAgent: request.headers["user-agent"] ?? "",
    token: /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1],
    body: parsed(await text(request), contentType, request.method === "PATCH"),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw badRequest(`the body is larger than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(body: string, contentType: string, isPatch: boolean): Json | undefined {
  if (body === "") return undefined;
  try {
    if (contentType === "application/yaml" || contentType === "application/apply-patch+yaml")
      return parseYaml(body) as Json;
    if (contentType === "" || contentType.endsWith("json")) return JSON.parse(body) as Json;
  } catch (error) {
    throw badRequest(`the body cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw unsupportedMediaType(isPatch ? PATCH_TYPES : ["application/json", "application/yaml"]);
}

export function sendJson(response: ServerResponse, code: number, body: Json): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.end(`${encodeJson(body)}\n`);
}
