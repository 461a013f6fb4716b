import type { Json, JsonObject } from "./json.ts";
import { qualified, type Resource } from "./resources.ts";

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/**
 * A refusal as the API words it: `Status` with code, reason and message.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject;
  /** Of the list that is refused. */
  readonly metadata: JsonObject;

  constructor(code: number, reason: string, message: string, details: JsonObject = {}, metadata: JsonObject = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  /** The `Status` object that stands in the body of the answer. */
  status(): JsonObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.metadata,
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(Object.keys(this.details).length === 0 ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

const detailsOf = ({ group, plural }: Resource, name: string): JsonObject => ({
  name,
  ...(group === "" ? {} : { group }),
  kind: plural,
});

export function notFound(resource: Resource, name: string): ApiError {
  return new ApiError(404, "NotFound", `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, detailsOf(resource, name));
}

export function conflict(resource: Resource, name: string, why: string = CHANGED): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new ApiError(409, "Conflict", message, detailsOf(resource, name));
}

const CHANGED = "the object has been modified; please apply your changes to the latest version and try again";

/** 422 with one cause a field. */
export function invalid(resource: Resource, name: string, causes: readonly Cause[]): ApiError {
  const told = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = told.length === 1 ? told[0] : `[${told.join(", ")}]`;
  const kind = resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
  const message = `${kind} "${name}" is invalid: ${text}`;
  const list: readonly Json[] = causes.map((cause) => ({ ...cause }));
  return new ApiError(422, "Invalid", message, {
    name,
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.kind,
    causes: list,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** What the real server answers when a JSON patch does not apply, a failed `test` included. */
export function unprocessable(): ApiError {
  return new ApiError(422, "Invalid", "the server rejected our request due to an error in our request");
}

export function gone(message: string): ApiError {
  return new ApiError(410, "Expired", message);
}

/** The continuation of a list whose version the history no longer reaches; `next` goes on with what there is now. */
export function expired(next: string): ApiError {
  return new ApiError(
    410,
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    {},
    { continue: next },
  );
}

export function unknownPath(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource");
}
