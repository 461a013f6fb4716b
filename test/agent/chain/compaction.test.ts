import { describe, expect, it } from "vitest";
import { brief, compacted, LEFT_OUT } from "../../../agent/chain/compaction.ts";
import type { ChatMessage } from "../../../agent/models/model.ts";

const task: ChatMessage = { role: "user", text: "Step: correlate_timing" };
const turn = (index: number, size: number): readonly ChatMessage[] => [
  { role: "assistant", text: "I look.", calls: [{ id: `c${index}`, name: "get_findings", args: {} }] },
  { role: "tools", results: [{ callId: `c${index}`, text: "x".repeat(size), isError: false }] },
];
const textOf = (message: ChatMessage | undefined) => (message?.role === "tools" ? message.results[0]?.text : undefined);

describe("a conversation", () => {
  it("that fits stays as it is, so that its beginning can be cached", () => {
    const messages = [task, ...turn(1, 2_000)];
    expect(compacted(messages, 1_000)).toBe(messages);
  });

  it("that does not fit loses its oldest results, never its task, its calls or what came last", () => {
    const messages = [task, ...turn(1, 1_500), ...turn(2, 1_500), ...turn(3, 1_500)];
    const kept = compacted(messages, 1_200);
    expect(kept).toHaveLength(messages.length);
    expect(kept[0]).toBe(task);
    expect([textOf(kept[2]), textOf(kept[4]), textOf(kept[6])]).toEqual([LEFT_OUT, LEFT_OUT, "x".repeat(1_500)]);
    expect(kept[1]).toBe(messages[1]);
  });

  it("is compacted to half of its room, so that the next turns do not compact it again", () => {
    const messages = [task, ...Array.from({ length: 12 }, (_, index) => turn(index, 500)).flat()];
    const kept = compacted(messages, 2_000);
    expect(JSON.stringify(kept).length / 3).toBeLessThan(1_100);
    expect(compacted([...kept, ...turn(99, 500)], 2_000)).toHaveLength(kept.length + 2);
    expect(textOf(compacted([...kept, ...turn(99, 500)], 2_000).at(-3))).toBe("x".repeat(500));
  });

  it("of a model that only talks is cut too", () => {
    const talk: readonly ChatMessage[] = [
      { role: "assistant", text: "hm ".repeat(3_000), calls: [] },
      { role: "user", text: "Go on." },
    ];
    expect(JSON.stringify(compacted([task, ...talk, ...talk], 1_000)).length).toBeLessThan(1_500);
  });

  it("tells a step of long lists what they begin with and how long they are", () => {
    const known = { correlate_timing: { candidates: Array.from({ length: 400 }, (_, index) => ({ id: index })) } };
    const { candidates } = (brief(known) as typeof known).correlate_timing;
    expect(candidates).toHaveLength(9);
    expect(candidates.at(-1)).toBe("and 392 more");
  });
});
