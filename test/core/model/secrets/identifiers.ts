import { drawn } from "./filled.ts";

const SERVICES = [
  "payments",
  "checkout",
  "cart-api",
  "auth-service",
  "token-service",
  "session-store",
  "secret-manager",
  "keycloak",
  "passport",
  "tokenizer",
];
const HEX = "0123456789abcdef";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

type Next = () => number;
const one = <T>(of: readonly T[], next: Next): T => {
  const item = of[Math.floor(next() * of.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
};
const hex = (length: number, next: Next) => drawn(HEX, length, next);
/** What Kubernetes appends to names: k8s.io/apimachinery/pkg/util/rand draws from these 27 characters. */
const suffix = (length: number, next: Next) => drawn("bcdfghjklmnpqrstvwxz2456789", length, next);
const service = (next: Next) => one(SERVICES, next);

/** Identifiers that a reader of an incident needs, each as the system that makes them writes them. */
export const IDENTIFIERS: Readonly<Record<string, (next: Next) => string>> = {
  "commit id": (next) => hex(40, next),
  "short commit id": (next) => hex(one([7, 8, 10, 12], next), next),
  digest: (next) => `sha256:${hex(64, next)}`,
  "trace id": (next) => hex(32, next),
  "span id": (next) => hex(16, next),
  traceparent: (next) => `00-${hex(32, next)}-${hex(16, next)}-01`,
  "X-Ray trace id": (next) => `1-${hex(8, next)}-${hex(24, next)}`,
  UUID: (next) => `${hex(8, next)}-${hex(4, next)}-4${hex(3, next)}-a${hex(3, next)}-${hex(12, next)}`,
  ULID: (next) => `01${drawn("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24, next)}`,
  "pod of a Deployment": (next) => `${service(next)}-${suffix(one([8, 9, 10], next), next)}-${suffix(5, next)}`,
  "pod of a StatefulSet": (next) => `${service(next)}-${Math.floor(next() * 9)}`,
  node: (next) => `ip-10-0-${Math.floor(next() * 255)}-${Math.floor(next() * 255)}.eu-west-1.compute.internal`,
  "image by tag": (next) =>
    `registry.example.com/acme/${service(next)}:${one(["1.4.2", "v2.0.1-rc.1", `main-${hex(7, next)}`, hex(40, next)], next)}`,
  "image by digest": (next) => `ghcr.io/acme/${service(next)}@sha256:${hex(64, next)}`,
  container: (next) => `containerd://${hex(64, next)}`,
  "git describe": (next) => `v1.${Math.floor(next() * 30)}.0-${Math.floor(next() * 99)}-g${hex(9, next)}`,
  instance: (next) => `i-0${hex(16, next)}`,
  integrity: (next) => `sha512-${drawn(BASE64, 86, next)}==`,
  "Go pseudo-version": (next) => `v0.0.0-20260101${drawn("0123456789", 6, next)}-${hex(12, next)}`,
};

/** Lines that hold such an identifier, none of which says that it is a secret. */
export const CONTEXTS: readonly ((identifier: string) => string)[] = [
  (id) => id,
  (id) => `commit ${id}`,
  (id) => `deploy of token-service at ${id} failed`,
  (id) => `{"id":"${id}","level":"error"}`,
  (id) => `id=${id} took 12ms`,
  (id) => `ref: ${id}`,
  (id) => `GET /orders/${id} 500`,
  (id) => `trace_id=${id} user logged in`,
  (id) => `pod ${id} was OOMKilled`,
  (id) => `level=warn msg="retry" request_id="${id}" attempt=3`,
  (id) => `revert "${id}" (#4312)`,
];
