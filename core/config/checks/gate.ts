import { valueAt } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { type Check, isMap, keyTroubleAt, listAt, mapAt, valueTroubleAt } from "./check.ts";

/** A gate that answers nowhere would never be asked; one that answers twice, by whom? */
export const gateAnswersSomewhere: Check = ({ file }) => {
  const gate = isMap(file) ? file.gate : undefined;
  if (!isMap(gate)) return [];
  const named = ["socket", "listen"].filter((key) => typeof gate[key] === "string");
  if (named.length === 1) return [];
  if (named.length === 2)
    return [keyTroubleAt(["gate", "listen"], "is given together with socket", "keep one of the two")];
  return [keyTroubleAt(["gate"], "says nowhere to answer", 'add socket: "/run/unship/gate.sock"')];
};

/** One credential under two names would let the agent do what the gate is there to decide. */
export const gateHasItsOwnCredentials: Check = ({ file, raw }) => {
  if (!isMap(mapAt(file).gate)) return [];
  const deployments = listAt(file, "data_sources", "deployments").map(({ path }) => path);
  const sources: readonly Path[] = [
    ...(deployments.length > 0 ? deployments : [["data_sources", "deployments"]]),
    ["data_sources", "feature_flags"],
  ];
  return sources.flatMap((path) => {
    const source = mapAt(raw, ...path);
    const write = source.write;
    if (!isMap(write)) return [];
    const kubernetes = source.type === "kubernetes";
    const keys = kubernetes
      ? ["kubeconfig", "context"]
      : ["token", "api_key"].filter((key) => write[key] !== undefined);
    const same = keys.length > 0 && keys.every((key) => write[key] === source[key]);
    // Two processes in pods of their own have an account each, though the file says of neither which.
    if (!same || (kubernetes && write.kubeconfig === undefined)) return [];
    const key = keys[0] ?? "write";
    const at = valueAt(raw, [...path, "write", key]) === undefined ? [...path, "write"] : [...path, "write", key];
    const message = "is the credential that the agent reads with";
    return [valueTroubleAt(at, message, "give the gate one of its own, and take the right to write from the other")];
  });
};
