import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { createHttp, type Http, type HttpOptions, path } from "../../../mcp-tools/connectors/http.ts";

const never = new AbortController().signal;
const Named = z.looseObject({ name: z.string() });

/** A real server on loopback that answers with `handle`; `base` is where. */
async function serving(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    base,
    http: (more: Partial<HttpOptions> = {}) => createHttp({ source: "shop", base, ...more }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function errorOf(promise: Promise<unknown>): Promise<UnshipError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof UnshipError)) throw new Error(`expected an UnshipError, got ${inspect(error)}`);
  return error;
}

describe("createHttp", () => {
  it("gives back the parsed body, unknown fields included, from below the base's own path", async () => {
    const seen: string[] = [];
    await using remote = await serving((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.end('{"name":"cart","future":{"a":1}}');
    });
    const http = remote.http({
      base: new URL("/mounted/", remote.base),
      headers: { authorization: "Bearer t0k3n-value" },
    });
    expect(await http.getJson(path`/api/${"a/b c"}?q=${"x&y"}`, Named, never)).toEqual({
      name: "cart",
      future: { a: 1 },
    });
    expect(seen).toEqual(["GET /mounted/api/a%2Fb%20c?q=x%26y Bearer t0k3n-value"]);
  });

  it.each([
    [404, "source.not_found"],
    [409, "source.conflict"],
    [429, "source.unavailable"],
    [500, "source.unavailable"],
    [503, "source.unavailable"],
    [400, "source.refused"],
    [401, "source.refused"],
    [422, "source.refused"],
    [302, "source.refused"],
    [304, "source.refused"],
  ] as const)("status %i is %s", async (status, code) => {
    await using remote = await serving((_, response) => response.writeHead(status, { location: "/other" }).end("{}"));
    const error = await errorOf(remote.http().getJson(path`/x`, Named, never));
    expect([error.code, error.facts.status, error.facts.because]).toEqual([code, status, "status"]);
  });

  it("follows no redirect", async () => {
    const seen: (string | undefined)[] = [];
    await using remote = await serving((request, response) => {
      seen.push(request.url);
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    await errorOf(remote.http().getJson(path`/x`, Named, never));
    expect(seen).toEqual(["/x"]);
  });

  it.each([
    ["a body that is not JSON", "<html>"],
    ["a body of another shape", '{"name":7}'],
    ["no body where one was wanted", ""],
  ])("%s is source.shape", async (_, body) => {
    await using remote = await serving((_request, response) => response.end(body));
    expect((await errorOf(remote.http().getJson(path`/x`, Named, never))).code).toBe("source.shape");
  });

  it("an answer that does not come in time is unknown: it may have been done", async () => {
    await using remote = await serving(() => {});
    const error = await errorOf(
      remote.http({ timeoutMs: 30 }).send("POST", path`/x`, {}, "application/json", z.unknown(), never),
    );
    expect([error.code, error.facts.because]).toEqual(["source.unavailable", "timeout"]);
  });

  it("a body that does not end in time is unknown", async () => {
    await using remote = await serving((_, response) => response.write('{"name"'));
    const error = await errorOf(remote.http({ timeoutMs: 30 }).getJson(path`/x`, Named, never));
    expect([error.code, error.facts.because]).toEqual(["source.unavailable", "timeout"]);
  });

  it.each([200, 500])(
    "a body of status %i that drips is over when its time is, however long it goes on",
    async (status) => {
      let isOpen = true;
      await using remote = await serving((_, response) => {
        response.writeHead(status);
        const timer = setInterval(() => response.write(" "), 5);
        response.on("close", () => {
          isOpen = false;
          clearInterval(timer);
        });
      });
      const error = await errorOf(remote.http({ timeoutMs: 60 }).getJson(path`/x`, Named, never));
      expect(error.code).toBe("source.unavailable");
      await expect.poll(() => isOpen).toBe(false);
    },
  );

  it("credentials that are never given leave nothing sent", async () => {
    let asked = 0;
    await using remote = await serving(() => {
      asked += 1;
    });
    const hang = () => new Promise<never>(() => {});
    const error = await errorOf(remote.http({ timeoutMs: 30, headers: hang }).getJson(path`/x`, Named, never));
    expect([error.code, error.facts.because, asked]).toEqual(["source.unavailable", "not-sent", 0]);
  });

  it("an abort ends the request and says so", async () => {
    const stop = new AbortController();
    await using remote = await serving(() => stop.abort());
    const error = await errorOf(remote.http().getJson(path`/x`, Named, stop.signal));
    expect([error.code, error.facts.because]).toEqual(["source.unavailable", "aborted"]);
  });

  it("a connection cut in the middle is unknown, a refused one was never sent", async () => {
    let base: URL;
    {
      await using remote = await serving((request) => request.socket.destroy());
      base = remote.base;
      expect((await errorOf(remote.http().getJson(path`/x`, Named, never))).facts.because).toBe("cut-off");
    }
    const refused = await errorOf(createHttp({ source: "shop", base }).getJson(path`/x`, Named, never));
    expect([refused.code, refused.facts.because]).toEqual(["source.unavailable", "not-sent"]);
  });

  it.each([
    ["announced", true],
    ["streamed", false],
  ])("an answer over the limit is refused (%s)", async (_, announced) => {
    const big = JSON.stringify({ name: "x".repeat(2000) });
    await using remote = await serving((_request, response) => {
      if (announced) response.setHeader("content-length", big.length);
      response.end(big);
    });
    const error = await errorOf(remote.http({ maxBytes: 1000 }).getJson(path`/x`, Named, never));
    expect(error.code).toBe("source.too_large");
    const chunks: Buffer[] = [];
    const read = (http: Http) =>
      http.receive("POST", path`/x`, "a=b", "text/plain", (chunk) => chunks.push(chunk), never);
    expect((await errorOf(read(remote.http({ maxBytes: 1000 })))).code).toBe("source.too_large");
    chunks.length = 0;
    await read(remote.http());
    expect(Buffer.concat(chunks).toString()).toBe(big);
  });

  it("sends JSON, text or nothing, with the content type it was given", async () => {
    const seen: string[] = [];
    await using remote = await serving(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      seen.push(`${request.method} ${request.headers["content-type"]} ${body}`);
      response.writeHead(body === "" ? 204 : 201).end(body === "" ? "" : '{"name":"a"}');
    });
    const http = remote.http();
    const json = await http.send("PATCH", path`/x`, [{ op: "test" }], "application/json-patch+json", Named, never);
    const text = await http.send("POST", path`/x`, "a=1", "application/x-www-form-urlencoded", Named, never);
    const none = await http.send("DELETE", path`/x`, undefined, "", z.null(), never);
    expect([json.status, text.body.name, none]).toEqual([201, "a", { status: 204, body: null }]);
    expect(seen).toEqual([
      'PATCH application/json-patch+json [{"op":"test"}]',
      "POST application/x-www-form-urlencoded a=1",
      "DELETE undefined ",
    ]);
  });

  it("asks a header function each time", async () => {
    const seen: (string | undefined)[] = [];
    await using remote = await serving((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"name":"a"}');
    });
    let turn = 0;
    const http = remote.http({ headers: async () => ({ authorization: `Bearer secret-${++turn}` }) });
    await http.getJson(path`/x`, Named, never);
    await http.getJson(path`/x`, Named, never);
    expect(seen).toEqual(["Bearer secret-1", "Bearer secret-2"]);
  });

  it.each([
    ["an echoing refusal", 403],
    ["an echoing failure", 500],
    ["an echoing success of the wrong shape", 200],
    ["a cut connection", 0],
  ])("%s leaks no secret, not even in the cause", async (_, status) => {
    await using remote = await serving((request, response) => {
      if (status === 0) return request.socket.destroy();
      return response.writeHead(status).end(JSON.stringify(request.headers));
    });
    const base = new URL(remote.base);
    base.username = "robot";
    base.password = "pa55word-in-url";
    const http = remote.http({
      base,
      headers: { "x-api-key": "k3y-in-header", authorization: "Bearer t0k3n-in-header" },
    });
    const error = await errorOf(http.getJson(path`/x`, Named, never));
    const everything = inspect(error, { depth: 20, showHidden: true }) + error.message + String(error.stack);
    for (const secret of ["pa55word-in-url", "k3y-in-header", "t0k3n-in-header"])
      expect(everything).not.toContain(secret);
  });
});

describe("path", () => {
  it.each([
    ["a dot segment", () => path`/api/${".."}/x`],
    ["a lone dot", () => path`/api/${"."}`],
    ["dots in two values", () => path`/api/${"."}${"."}/x`],
    ["an empty name, which would mean the whole list", () => path`/api/${""}`],
    ["an empty name inside", () => path`/api/${""}/x?a=1`],
    ["a path that does not begin with a slash", () => path`${"api"}/x`],
    ["a path that would name another host", () => path`//evil/x`],
    ["half a surrogate pair", () => path`/api/${"\ud800"}`],
  ])("refuses %s", (_, make) => {
    expect(make).toThrow(UnshipError);
  });

  it("no name can change which resource is meant", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        fc.pre(name.isWellFormed() && !/^\.{0,2}$/.test(name));
        const url = new URL(`http://host${path`/before/${name}/after?q=${name}`}`);
        expect(url.host).toBe("host");
        expect(url.pathname.split("/").length).toBe(4);
        expect(decodeURIComponent(url.pathname)).toBe(`/before/${name}/after`);
        expect(url.searchParams.get("q")).toBe(name);
        expect(url.hash).toBe("");
      }),
    );
  });
});
