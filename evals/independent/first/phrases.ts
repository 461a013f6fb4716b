// What services write to their logs: everyday lines, errors that were always there, and the signatures that a fault
// leaves, in the manner of each language. Ids, durations, hosts and amounts differ from line to line, as they do.
import type { Rng } from "./rng.ts";
import type { Lang } from "./types.ts";

type Line = (r: Rng) => string;

const ip = (r: Rng) => `10.${r.int(0, 63)}.${r.int(0, 255)}.${r.int(2, 254)}`;
const ms = (r: Rng) => r.int(2, 900);

export const EVERYDAY: Record<Lang, [string, Line][]> = {
  java: [
    [
      "info",
      (r) =>
        `[http-nio-8080-exec-${r.int(1, 200)}] c.a.w.RequestLog - GET completed 200 in ${ms(r)} ms, rid=${r.hex(12)}`,
    ],
    ["info", (r) => `[scheduling-1] c.a.j.HouseKeeping - removed ${r.int(0, 400)} expired rows`],
    [
      "warn",
      (r) =>
        `[HikariPool-1 housekeeper] com.zaxxer.hikari.pool.HikariPool - Thread starvation or clock leap detected (housekeeper delta=${r.int(46, 70)}s${r.int(100, 999)}ms)`,
    ],
    ["debug", (r) => `[pool-3-thread-${r.int(1, 9)}] c.a.c.LocalCache - evicted ${r.int(1, 90)} entries`],
  ],
  go: [
    ["info", (r) => `msg="handled" status=200 dur=${ms(r)}ms remote=${ip(r)} req=${r.hex(16)}`],
    ["info", (r) => `msg="lease renewed" holder=pod-${r.hex(5)} ttl=15s`],
    ["warn", (r) => `msg="slow handler" dur=${r.int(900, 2400)}ms req=${r.hex(16)}`],
  ],
  node: [
    ["info", (r) => `{"evt":"req","code":200,"t":${ms(r)},"id":"${r.hex(8)}"}`],
    ["info", (r) => `{"evt":"cache","hit":true,"key":"u:${r.int(10000, 999999)}"}`],
    [
      "warn",
      (r) =>
        `(node:${r.int(1, 40)}) MaxListenersExceededWarning: Possible EventEmitter memory leak detected. 11 drain listeners added`,
    ],
  ],
  python: [
    ["info", (r) => `${ip(r)} - "POST /rpc HTTP/1.1" 200 OK ${ms(r)}ms`],
    ["info", (r) => `worker ${r.int(1, 32)}: task ${r.hex(8)} succeeded in ${(ms(r) / 1000).toFixed(3)}s`],
    ["warn", (r) => `urllib3.connectionpool: Connection pool is full, discarding connection: ${ip(r)}`],
  ],
  dotnet: [
    ["info", (r) => `Request finished HTTP/2 POST - 200 application/grpc ${ms(r)}.${r.int(1000, 9999)}ms`],
    ["info", (r) => `Heartbeat took longer than "00:00:01" at "${r.int(10, 23)}:${r.int(10, 59)}"`],
  ],
  sql: [
    ["info", (r) => `checkpoint complete: wrote ${r.int(200, 9000)} buffers (${r.uniform(0.1, 9).toFixed(1)}%)`],
    ["info", (r) => `automatic vacuum of table "public.t_${r.int(1, 40)}": index scans: ${r.int(0, 2)}`],
    ["warn", (r) => `duration: ${r.int(1000, 4200)}.${r.int(100, 999)} ms execute <unnamed>: SELECT`],
  ],
};

/** The error that each service has always had a few of. */
export const OLD_ERRORS: Record<Lang, Line[]> = {
  java: [
    (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] c.a.w.ErrorAdvice - ClientAbortException: java.io.IOException: Broken pipe rid=${r.hex(12)}`,
    (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] c.a.s.Optimistic - OptimisticLockException on row ${r.int(1000, 9999999)}, giving up`,
  ],
  go: [
    (r) => `msg="request failed" err="context canceled" req=${r.hex(16)}`,
    (r) => `msg="request failed" err="rpc error: code = Aborted desc = version mismatch on ${r.hex(8)}"`,
  ],
  node: [
    (r) => `{"evt":"err","msg":"socket hang up","code":"ECONNRESET","id":"${r.hex(8)}"}`,
    (r) => `{"evt":"err","msg":"duplicate key","id":"${r.hex(8)}"}`,
  ],
  python: [
    (r) => `Traceback: sqlalchemy.exc.IntegrityError: duplicate key value, id=${r.int(10000, 999999)}`,
    (r) => `ERROR task ${r.hex(8)} raised: ConnectionResetError(104, 'Connection reset by peer')`,
  ],
  dotnet: [(r) => `System.OperationCanceledException: The operation was canceled. TraceId:${r.hex(16)}`],
  sql: [
    (r) =>
      `deadlock detected: process ${r.int(100, 9000)} waits for ShareLock on transaction ${r.int(100000, 9999999)}`,
  ],
};

/** Errors that a new version brings. */
export const BUGS: Record<Lang, ((r: Rng) => Line)[]> = {
  java: [
    () => (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] c.a.w.ErrorAdvice - java.lang.NullPointerException: Cannot invoke "Money.currency()" because "price" is null\n\tat c.a.p.PriceMapper.toDto(PriceMapper.java:88) rid=${r.hex(12)}`,
    () => (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] c.a.w.ErrorAdvice - java.lang.ClassCastException: class java.lang.Integer cannot be cast to class java.lang.Long rid=${r.hex(12)}`,
    () => (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] o.h.e.j.s.SqlExceptionHelper - ERROR: column "settled_at" does not exist, position ${r.int(20, 300)}`,
  ],
  go: [
    () => (r) =>
      `panic: runtime error: invalid memory address or nil pointer dereference [signal SIGSEGV] goroutine ${r.int(100, 99999)}`,
    () => (r) =>
      `msg="request failed" err="json: cannot unmarshal string into Go struct field Quote.amount of type int64" req=${r.hex(16)}`,
    () => (r) => `msg="request failed" err="assignment to entry in nil map" req=${r.hex(16)}`,
  ],
  node: [
    () => (r) =>
      `{"evt":"err","msg":"TypeError: Cannot read properties of undefined (reading 'plan')","id":"${r.hex(8)}"}`,
    () => (r) =>
      `{"evt":"err","msg":"UnhandledPromiseRejection: schema validation failed at /items/${r.int(0, 9)}/sku","id":"${r.hex(8)}"}`,
  ],
  python: [
    () => (r) => `Traceback: KeyError: 'tenant_region' in enrich() rid=${r.hex(10)}`,
    () => (r) => `Traceback: AttributeError: 'NoneType' object has no attribute 'tzinfo' rid=${r.hex(10)}`,
    () => (r) =>
      `Traceback: pydantic.ValidationError: 1 validation error for Booking (party_size) input ${r.int(1, 99)}`,
  ],
  dotnet: [
    () => (r) =>
      `System.InvalidOperationException: Sequence contains no elements at Handlers.Resolve TraceId:${r.hex(16)}`,
    () => (r) => `System.FormatException: Input string was not in a correct format. TraceId:${r.hex(16)}`,
  ],
  sql: [() => (r) => `canceling statement due to statement timeout, pid ${r.int(100, 9000)}`],
};

export function bug(r: Rng, lang: Lang): Line {
  return r.pick(BUGS[lang])(r);
}

/** How a caller reports that the service it called failed it. */
export function upstream(lang: Lang, to: string, how: "status" | "timeout" | "refused"): Line {
  const what = (r: Rng) =>
    how === "status" ? r.pick(["500", "503", "500"]) : how === "timeout" ? "deadline exceeded" : "connection refused";
  if (lang === "java")
    return (r) =>
      `[http-nio-8080-exec-${r.int(1, 200)}] c.a.c.RemoteClient - call to ${to} failed: ${what(r)} rid=${r.hex(12)}`;
  if (lang === "go") return (r) => `msg="upstream error" peer=${to} err="${what(r)}" req=${r.hex(16)}`;
  if (lang === "node") return (r) => `{"evt":"err","msg":"fetch ${to} -> ${what(r)}","id":"${r.hex(8)}"}`;
  if (lang === "python") return (r) => `ERROR http client: ${to} answered ${what(r)} after ${ms(r)}ms`;
  return (r) => `Call to ${to} failed with ${what(r)} TraceId:${r.hex(16)}`;
}

export function started(lang: Lang, version: string): Line {
  if (lang === "java")
    return (r) =>
      `[main] o.s.b.SpringApplication - Started application ${version} in ${r.uniform(6, 31).toFixed(3)} seconds`;
  if (lang === "go") return () => `msg="listening" addr=:8080 version=${version}`;
  if (lang === "node") return () => `{"evt":"boot","version":"${version}","port":3000}`;
  return (r) => `Booting worker with pid: ${r.int(8, 400)} (${version})`;
}
