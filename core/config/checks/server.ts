import { skeleton } from "../../model/skeleton.ts";
import { type Check, isMap, keyTroubleAt, listAt, mapAt, repeats, valueTroubleAt, writtenAt } from "./check.ts";

const textOf = (key: string) => (entry: Readonly<Record<string, unknown>>) => {
  const value = entry[key];
  return typeof value === "string" ? value.toLowerCase() : null;
};

/** As people read it: a name that looks like another one is the same to them. */
const nameOf = ({ name }: Readonly<Record<string, unknown>>) => (typeof name === "string" ? skeleton(name) : null);

const entriesAt = (file: unknown, ...path: readonly string[]) =>
  listAt(file, ...path).flatMap(({ path, value }) => (isMap(value) ? [{ path, value }] : []));

/** Two callers with one name, or one token, would be one caller in the ledger, with the rights of either. */
export const serverTokensAreDistinct: Check = ({ file, raw }) => {
  const tokens = entriesAt(file, "server", "tokens");
  return [
    ...tokens.flatMap(({ path, value }) =>
      // The record calls holders of access tokens so: one is not to be taken for the other.
      typeof value.name === "string" && /^oauth\b/.test(skeleton(value.name))
        ? [
            valueTroubleAt(
              [...path, "name"],
              `is ${writtenAt(raw, [...path, "name"])}, as callers with access tokens are called`,
              "another name",
            ),
          ]
        : [],
    ),
    ...repeats(tokens, nameOf).map(({ path }) =>
      valueTroubleAt(
        [...path, "name"],
        `is ${writtenAt(raw, [...path, "name"])}, which is given above already`,
        "each caller once",
      ),
    ),
    ...repeats(tokens, textOf("token_sha256")).map(({ path, first }) =>
      valueTroubleAt(
        [...path, "token_sha256"],
        `is the same as that of server.tokens[${String(first[2])}]`,
        "each caller has a token of its own",
      ),
    ),
  ];
};

/** A token that an assistant calls with would approve what the assistant proposed (S3). */
export const serverTokensApproveNothing: Check = ({ file }) => {
  const approvers = entriesAt(file, "approvers");
  return entriesAt(file, "server", "tokens").flatMap(({ path, value }) => {
    const token = textOf("token_sha256")(value);
    const same = token === null ? undefined : approvers.find((one) => textOf("token_sha256")(one.value) === token);
    if (same === undefined) return [];
    const message = `is the personal token of approvers[${String(same.path[1])}]`;
    return [valueTroubleAt([...path, "token_sha256"], message, "a caller of MCP needs a token that approves nothing")];
  });
};

/** A token that an assistant calls with would approve what the assistant proposed (S3): they are for two audiences. */
export const accessTokensApproveNothing: Check = ({ file }) => {
  const server = mapAt(file, "server");
  const [oidc, oauth] = [server.oidc, server.oauth];
  if (!isMap(oidc) || !isMap(oauth) || oidc.audience !== oauth.resource) return [];
  const message = "is also the audience of the approvers' tokens";
  return [valueTroubleAt(["server", "oauth", "resource"], message, "give server.oidc an audience of its own")];
};

/** An issuer that nobody is mapped to, or a name that no issuer is asked for, looks like a way in and is none. */
export const issuerAndApproversFit: Check = ({ file }) => {
  const server = mapAt(file, "server");
  const has = isMap(server.oidc);
  const mapped = entriesAt(file, "approvers").filter(({ value }) => textOf("oidc")(value) !== null);
  if (!has) {
    return mapped.map(({ path }) =>
      keyTroubleAt([...path, "oidc"], "has no effect: no issuer is configured", "add server.oidc, or remove it"),
    );
  }
  return [
    ...(typeof server.listen === "string"
      ? []
      : [keyTroubleAt(["server", "oidc"], "has no effect without server.listen", 'add listen: "127.0.0.1:7332"')]),
    ...(mapped.length > 0
      ? []
      : [keyTroubleAt(["server", "oidc"], "lets nobody in: no approver has an oidc", "add approvers[].oidc")]),
  ];
};

/** The same for Slack: presses need a secret to be known by, a listener to reach, and people to be. */
export const slackAndApproversFit: Check = ({ file }) => {
  const slack = mapAt(file, "notifications", "slack");
  const signed = typeof slack.signing_secret === "string";
  const mapped = entriesAt(file, "approvers").filter(({ value }) => textOf("slack")(value) !== null);
  if (!signed) {
    const hint = "add notifications.slack.signing_secret, or remove it";
    return mapped.map(({ path }) =>
      keyTroubleAt([...path, "slack"], "has no effect: presses in Slack cannot be verified", hint),
    );
  }
  const secret = ["notifications", "slack", "signing_secret"];
  return [
    ...(typeof mapAt(file, "server").listen === "string"
      ? []
      : [keyTroubleAt(secret, "has no effect without server.listen", 'add server.listen: "127.0.0.1:7332"')]),
    ...(mapped.length > 0
      ? []
      : [keyTroubleAt(secret, "lets nobody answer: no approver has a slack", "add approvers[].slack")]),
  ];
};
