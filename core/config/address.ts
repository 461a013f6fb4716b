/** Where something listens. Port 0: any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads "HOST:PORT", "[::1]:PORT" or ":PORT" (this machine alone); null: it is none. */
export function addressOf(text: string): Address | null {
  const [, host = "", digits = ""] = /^(\[[0-9a-fA-F:.]+\]|[\w.-]*):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) return null;
  return { host: host === "" ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1"), port };
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/;

/** Whether this host, as it is written in an address, can only be reached from this machine. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
