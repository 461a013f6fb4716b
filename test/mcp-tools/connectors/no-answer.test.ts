import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { NOT_SENT, reasonOf } from "../../../core/model/no-answer.ts";
import { createHttp, type HttpOptions, path } from "../../../mcp-tools/connectors/http.ts";

const never = new AbortController().signal;

/** What people read where a peer does this with each connection. */
async function readOf(peer: (socket: Socket) => void, options: Partial<HttpOptions> = {}, scheme = "http") {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    peer(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const http = createHttp({ source: "prometheus", base, ...options });
  try {
    await http.getJson(path`/x`, z.unknown(), never);
    throw new Error("it answered");
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return error.message.replaceAll(base.host, "HOST");
  } finally {
    server.close();
  }
}

const answering = (text: string) => (socket: Socket) => void socket.once("data", () => socket.end(text));

describe("a source that gives no answer says why, and where", () => {
  const rows: readonly (readonly [string, (socket: Socket) => void, string, Partial<HttpOptions>?, string?])[] = [
    ["that hangs", () => {}, "no whole answer within 0.2 s", { timeoutMs: 200 }],
    ["that hangs up", (socket) => socket.destroy(), "HOST closed the connection before its answer was whole"],
    [
      "that stops in the middle",
      answering("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
      "HOST closed the connection before its answer was whole",
    ],
    [
      "that is a mail server",
      answering("220 mail ready\r\n"),
      "what answers at HOST does not speak HTTP there (is it https?)",
    ],
    [
      "that speaks no TLS",
      answering("HTTP/1.1 400 Bad\r\n\r\n"),
      "what answers at HOST does not speak TLS (is it http?)",
      {},
      "https",
    ],
    ["that is overloaded", answering("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"), "it answered with status 503"],
    [
      "whose token is in a file that is not there",
      () => {},
      "its credentials could not be read from /run/no-such-token (ENOENT)",
      {
        headers: () =>
          import("node:fs/promises").then(({ readFile }) => readFile("/run/no-such-token", "utf8")).then(() => ({})),
      },
    ],
    [
      "whose credentials fail in words that may quote them",
      () => {},
      "its credentials could not be read",
      { headers: () => Promise.reject(new Error("bad token s3cret")) },
    ],
  ];
  it.each(rows.map(([name, ...rest]) => ({ name, rest })))(
    "one $name",
    async ({ rest: [peer, reason, options, scheme] }) => {
      expect(await readOf(peer, options, scheme)).toBe(
        `prometheus gave no usable answer: ${reason}; what it would say is unknown.`,
      );
    },
  );

  it("one that nobody serves", async () => {
    const server = createTcpServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await new Promise((done) => server.close(done));
    const asked = createHttp({ source: "prometheus", base }).getJson(path`/x`, z.unknown(), never);
    await expect(asked).rejects.toThrow(`nothing listens at ${base.host}`);
  });

  const of = (code: string, name = "Error") => Object.assign(new Error("what the peer wrote"), { code, name });
  const place = new URL("https://prometheus.shop:9090");
  it.each([
    [of("ENOTFOUND"), "no host is called prometheus.shop"],
    [of("EAI_AGAIN"), "the name service did not say where prometheus.shop is"],
    [of("EHOSTUNREACH"), "there is no way to prometheus.shop:9090 from here"],
    [of("UND_ERR_CONNECT_TIMEOUT"), "prometheus.shop:9090 takes no connection"],
    [of("CERT_HAS_EXPIRED"), "the certificate of prometheus.shop:9090 has expired"],
    [of("CERT_REVOKED"), "no TLS connection with prometheus.shop:9090 came about (CERT_REVOKED)"],
    [of("EWHATEVER"), "the connection to prometheus.shop:9090 failed (EWHATEVER)"],
    [of("", "AbortError"), "the question was given up"],
    ["a thrown word", "the question was given up"],
  ])("%s", (cause, reason) => {
    expect(reasonOf(cause, place, 10_000)).toBe(reason);
  });

  it("never in the peer's own words", () => {
    for (const code of [...NOT_SENT, "ERR_SSL_X", "SELF_SIGNED_CERT_IN_CHAIN", "ECONNRESET", "EX", ""])
      expect(reasonOf(of(code), place, 10_000)).not.toContain("peer wrote");
  });
});
