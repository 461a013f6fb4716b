import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Answer, type RawSeries, rawSeries } from "../../../../mcp-tools/connectors/prometheus/answer.ts";
import { createAnswerStream } from "../../../../mcp-tools/connectors/prometheus/answer-stream.ts";

/** What a stream makes of a text that comes in pieces of these lengths, over and over. */
function streamed(json: string, pieces: readonly number[]) {
  const series: RawSeries[] = [];
  const stream = createAnswerStream((one) => series.push(one));
  const bytes = Buffer.from(json);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = pieces[i % pieces.length] ?? bytes.length;
    stream.take(bytes.subarray(at, at + length));
    at += length;
  }
  return { series, answer: stream.end() };
}

/** The same by `JSON.parse` of all of it. */
function whole(json: string) {
  const answer = Answer.parse(JSON.parse(json));
  return { series: answer.data.result.map(rawSeries), answer: { ...answer, data: { ...answer.data, result: [] } } };
}

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
/** What JSON has to escape, what ends things outside of strings, letters of several bytes, and everything else. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "\n", "é", "世", "🜁", "result") }),
  fc.string({ unit: "grapheme" }),
);
const value = fc.oneof(
  fc.constantFrom("NaN", "+Inf", "-Inf", "", "0", "1e-9", "0.0031425000000000003", "-0"),
  fc.double().map(String),
  text,
);
const point = fc.tuple(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })), value);
const labels = fc.dictionary(text, text, { noNullPrototype: true });
/** A series with its keys in any order, and one that nobody knows yet. */
const one = fc
  .tuple(labels, fc.array(point), fc.constantFrom("values", "value", "histograms"), fc.boolean(), fc.json())
  .map(([metric, points, kind, turned, future]) => {
    const said = kind === "values" ? points : kind === "value" ? (points[0] ?? [1, "1"]) : [];
    const entries = [["metric", metric] as const, [kind, said] as const, ["future", JSON.parse(future)] as const];
    return Object.fromEntries(turned ? entries.toReversed() : entries);
  });
const answers = fc
  .record({
    result: fc.array(one, { maxLength: 6 }),
    resultFirst: fc.boolean(),
    dataFirst: fc.boolean(),
    warnings: fc.option(fc.array(text), { nil: undefined }),
    isPartial: fc.option(fc.boolean(), { nil: undefined }),
    stats: fc.json(),
    indent: fc.constantFrom(0, 1, "\t"),
  })
  .map(({ result, resultFirst, dataFirst, warnings, isPartial, stats, indent }) => {
    const data = resultFirst ? { result, resultType: "matrix" } : { resultType: "matrix", result };
    const rest = { status: "success", warnings, isPartial, stats: { data: { result: [JSON.parse(stats)] } } };
    return JSON.stringify(dataFirst ? { data, ...rest } : { ...rest, data }, null, indent);
  });

describe("an answer that comes in pieces", () => {
  it("says what JSON.parse makes of all of it, wherever it is cut and however it is written", () => {
    fc.assert(
      fc.property(answers, pieces, (json, lengths) => {
        expect(streamed(json, lengths)).toEqual(whole(json));
      }),
    );
  });

  it("is none where any byte of it is lost", () => {
    fc.assert(
      fc.property(answers, pieces, fc.nat(), (json, lengths, where) => {
        const cut = json.trimEnd().slice(0, where % json.trimEnd().length);
        expect(streamed(cut, lengths).answer).toBeNull();
      }),
    );
  });

  const matrix = (result: string) => `{"status":"success","data":{"resultType":"matrix","result":${result}}}`;
  const series = '{"metric":{"service":"shop"},"values":[[1,"2"]]}';
  it.each([
    ["no comma between series", matrix(`[${series} ${series}]`)],
    ["a comma after the last one", matrix(`[${series},]`)],
    ["a number among the series", matrix(`[${series},0]`)],
    ["a bracket of the other kind", matrix(`[${series}}`)],
    ["a series that is no JSON", matrix('[{"metric":{"service":"shop"},"values":[[1,"2"],]}]')],
    ["a label that is no text", matrix('[{"metric":{"service":1},"values":[]}]')],
    ["a point that is no pair", matrix('[{"metric":{},"values":[1]}]')],
    ["series of something else", matrix(`[${series}]`).replace("matrix", "scalar")],
    ["a result given twice", `{"status":"success","data":{"resultType":"matrix","result":[${series}],"result":[]}}`],
    ["something behind the end", `${matrix("[]")}}`],
    ["an error", '{"status":"error","errorType":"timeout","error":"query timed out"}'],
    ["nothing", ""],
  ])("is none with %s", (_what, json) => {
    expect(streamed(json, [7]).answer).toBeNull();
  });

  it("leaves what is no series where it stands", () => {
    const scalar = '{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"1"]}}';
    expect(streamed(scalar, [5])).toEqual({ series: [], answer: Answer.parse(JSON.parse(scalar)) });
  });
});
