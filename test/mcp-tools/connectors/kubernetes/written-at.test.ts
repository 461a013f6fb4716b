import { describe, expect, it } from "vitest";
import { writtenAt } from "../../../../mcp-tools/connectors/kubernetes/written-at.ts";

const AT = 1_796_229_552_000;
const template = { "f:spec": { "f:template": {} } };
const write = (manager: string, time: number | undefined, fieldsV1: unknown = template, subresource?: string) => ({
  manager,
  ...(time === undefined ? {} : { time }),
  ...(subresource === undefined ? {} : { subresource }),
  fieldsV1,
});

describe("when the API server took our write of a pod template", () => {
  it.each([
    ["is the second that its managedFields tell", [write("kubectl", AT - 9_000), write("unship", AT)], AT],
    ["is not told by what others wrote since", [write("unship", AT), write("kubectl", AT + 5_000)], null],
    ["is not told by our writes of something else", [write("unship", AT, { "f:metadata": {} })], null],
    ["is not told by a status", [write("unship", AT, template, "status")], null],
    ["is not told by an entry without a time", [write("unship", undefined)], null],
    ["is not told by an object without entries", [], null],
  ] as const)("%s", (_, managedFields, from) => {
    const said = writtenAt({ managedFields: [...managedFields] as never });
    expect(said).toEqual(from === null ? null : { from, to: from + 999 });
  });
});
