import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the kernel says of a process of this machine. Linux only. @see man 5 proc */

/** Its environment as it was started with. */
export function environmentOf(pid: number): Readonly<Record<string, string>> {
  const entries = readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .filter((entry) => entry !== "");
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

export function commandLineOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8")
    .split("\0")
    .filter((word) => word !== "");
}

/** Where its open file descriptors lead: paths, and `socket:[inode]`. */
export function openFilesOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed between the two calls
    }
  });
}

/** The remote ports of its TCP connections, IPv4 and IPv6. */
export function remotePortsOf(pid: number): readonly number[] {
  const own = new Set(openFilesOf(pid).flatMap((path) => /^socket:\[(\d+)\]$/.exec(path)?.[1] ?? []));
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .flatMap((row) => {
        const [, , remote = "", , , , , , , inode = ""] = row.trim().split(/\s+/);
        const port = Number.parseInt(remote.split(":")[1] ?? "", 16);
        return own.has(inode) && port > 0 ? [port] : [];
      }),
  );
}
