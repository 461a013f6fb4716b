import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childOf, continueTrace, traceparent } from "../../../evals/sandbox/service/trace.ts";

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
    .map((digits) => digits.join(""))
    .filter((id) => !/^0+$/.test(id));

describe("trace context", () => {
  it("goes on with any valid traceparent: same trace, caller as parent, caller's decision to sample", () => {
    fc.assert(
      fc.property(
        hex(32),
        hex(16),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (trace, span, on, ratio) => {
          const context = continueTrace(`00-${trace}-${span}-${on ? "01" : "00"}`, ratio);
          expect(context).toEqual({ traceId: trace, parentId: span, sampled: on, spanId: expect.any(String) });
          expect(context.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
          const child = childOf(context);
          expect(continueTrace(traceparent(child), ratio)).toEqual(
            expect.objectContaining({ traceId: trace, parentId: child.spanId, sampled: on }),
          );
          expect(child.parentId).toBe(context.spanId);
        },
      ),
    );
  });

  it.each([
    ["there is none", undefined],
    ["it is no traceparent", "abc"],
    ["its version is the forbidden one", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ["its trace id is all zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["its span id is all zeros", `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`],
    ["it is in upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"],
  ])("starts a trace of its own where %s", (_, header) => {
    expect(continueTrace(header, 1)).toEqual(expect.objectContaining({ parentId: undefined, sampled: true }));
    expect(continueTrace(header, 0).sampled).toBe(false);
  });

  it("reads a later version's header as far as it knows it", () => {
    const later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds";
    expect(continueTrace(later, 0)).toEqual(expect.objectContaining({ parentId: "00f067aa0ba902b7", sampled: true }));
  });
});
