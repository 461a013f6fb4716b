import { createHash, timingSafeEqual } from "node:crypto";
import type { Approver } from "../../core/config/config.ts";
import type { Proof } from "../../core/ports.ts";

/** How an answer reached the gate, for the record. */
export type Via = "desk" | "http";

/** Whom a proof names, found out before the transaction. */
export type Claim =
  | { readonly kind: "known"; readonly via: Via; readonly approver: Approver }
  /** `reason`: ours, safe to show. */
  | { readonly kind: "refused"; readonly via: Via; readonly reason: string };

/** Finds out whom a proof names. Pure but for what it asks others; writes nothing and never throws. */
export function createIdentify(approvers: readonly Approver[]): (proof: Proof) => Promise<Claim> {
  return async (proof) => {
    const via = typeof proof === "string" ? "desk" : proof.via;
    const approver = approverOf(typeof proof === "string" ? proof : proof.bearer, approvers);
    return approver === undefined
      ? { kind: "refused", via, reason: "this token is no approver's" }
      : { kind: "known", via, approver };
  };
}

/** Compares with every approver's hash, so that the time taken says nothing about which one is near. */
function approverOf(token: string, approvers: readonly Approver[]): Approver | undefined {
  const given = createHash("sha256").update(token).digest();
  let found: Approver | undefined;
  for (const approver of approvers) {
    const known = Buffer.from(approver.tokenSha256, "hex");
    if (known.length === given.length && timingSafeEqual(known, given)) found = approver;
  }
  return token === "" ? undefined : found;
}
