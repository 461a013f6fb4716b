import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openChannel } from "../../../mcp-tools/channel/client.ts";

/** A gate that answers these calls, and any other one as a call that it does not know. */
async function gateThatKnows(answers: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "unship-older-gate-"));
  const socket = join(folder, "gate.sock");
  const unknown = { error: { code: "input.invalid", facts: { what: "call", reason: "there is no such call" } } };
  const server = createServer((request, response) => {
    const call = (request.url ?? "").replace("/v1/", "");
    const isKnown = Object.hasOwn(answers, call);
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? { value: answers[call] } : unknown));
  }).listen(socket);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return socket;
}

it("a gate of before, which knows no last evaluation, is read for all else", async () => {
  const socket = await gateThatKnows({ pauses: [] });
  const channel = openChannel({ at: { socket }, where: "the gate", token: null });
  expect(await channel.ledger.lastEvaluation()).toBeNull();
  expect(await channel.ledger.pauses()).toEqual([]);
  await expect(channel.ledger.head()).rejects.toMatchObject({ code: "input.invalid" });
  await channel.close();
});

it("that nothing answers is no last evaluation of null", async () => {
  const channel = openChannel({ at: { socket: "/nonexistent/gate.sock" }, where: "the gate", token: null });
  await expect(channel.ledger.lastEvaluation()).rejects.toMatchObject({ code: "gate.unavailable" });
  await channel.close();
});
