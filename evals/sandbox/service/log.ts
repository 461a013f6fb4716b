import { appendFileSync, closeSync, openSync, writeSync } from "node:fs";

export interface Log {
  write(level: "info" | "warn" | "error", message: string, traceId?: string): void;
  close(): void;
}

/** Writes JSON lines to the pod's log file. Written at once, so that a process that is killed keeps its last words. */
export function openLog(file: string, common: { readonly service: string; readonly version: string }): Log {
  appendFileSync(file, "");
  const fd = openSync(file, "a");
  return {
    write(level, message, traceId) {
      const line = {
        at: new Date().toISOString(),
        service: common.service,
        level,
        message,
        version: common.version,
        ...(traceId === undefined ? {} : { trace_id: traceId }),
      };
      writeSync(fd, `${JSON.stringify(line)}\n`);
    },
    close: () => closeSync(fd),
  };
}
