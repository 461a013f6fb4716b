import type { SecretRef } from "./config.ts";

/** Through what people are told. */
export interface NotificationsConfig {
  readonly slack: {
    readonly botToken: SecretRef;
    /** null: messages have no buttons. */
    readonly signingSecret: SecretRef | null;
    /** The workspace whose members may answer; null: any in which the app is installed. */
    readonly team: string | null;
    readonly apiUrl: string;
  } | null;
  readonly pagerduty: {
    /** By the name that targets use: "pagerduty:oncall" is `oncall`. */
    readonly routingKeys: Readonly<Record<string, SecretRef>>;
    readonly apiUrl: string;
  } | null;
}
