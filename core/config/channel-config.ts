import type { Address } from "./address.ts";
import type { SecretRef } from "./config.ts";

/** Where `unship gate` answers on this machine, and what the agent shows to be heard there. */
export interface ChannelConfig {
  /** A Unix socket by its path, or a port of the loopback. */
  readonly at: { readonly socket: string } | Address;
  readonly token: SecretRef;
}

/** How people are told where it answers. */
export const channelText = ({ at }: ChannelConfig): string =>
  "socket" in at ? at.socket : `${at.host.includes(":") ? `[${at.host}]` : at.host}:${at.port}`;
