import { StringDecoder } from "node:string_decoder";
import { BeyondBound, countText, sizeText } from "../bounds.ts";
import { Answer, type RawSeries, rawSeries } from "./answer.ts";

/** An answer that is taken apart as its bytes come: each series as soon as it is there, and then let go. */
export interface AnswerStream {
  /** Throws `BeyondBound` for what no answer of Prometheus' holds. */
  take(bytes: Buffer): void;
  /**
   * What stands beside the series. `result` is empty then; where it holds no objects (a scalar, a string) it stands as it
   * came. Null where any of it was no JSON or is not documented: series that were taken count for nothing then.
   */
  end(): Answer | null;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
/** So deep lies what is in `data.result`: in the answer, in `data`, in `result`. */
const IN_RESULT = 3;
/**
 * Characters of one series, which is parsed as a whole: Prometheus gives at most 11,000 points of it (`MAX_POINTS`), each some
 * 30 characters, or 1,500 for a native histogram of 160 buckets (its default), which is the largest that there is.
 */
const SERIES_CHARS = 16 * 1024 * 1024;
/** Values beside the series themselves: warnings, infos, and a comma for each series; far more than there are series. */
const MOST_BESIDE = 1_000_000;

/**
 * Reads answers of Prometheus' HTTP API in little memory, however large: each series in `data.result` goes to `take`, in
 * order. All that is sought here is where the text of each begins and ends. What it says is `JSON.parse`'s matter, and so
 * is the rest of the answer, in which a `0` stands for each: whatever is no JSON is found out by one or the other.
 */
export function createAnswerStream(take: (series: RawSeries) => void): AnswerStream {
  const decoder = new StringDecoder("utf8");
  /** Text that is not done with yet, how far it was scanned, and up to where it was handed on. */
  let text = "";
  let at = 0;
  let from = 0;
  const rest: string[] = [];
  let depth = 0;
  let inString = false;
  let stringFrom = 0;
  /** The last string, and at each depth the last key, as they are written. */
  let said = "";
  const keys = ["", "", ""];
  let inResult = false;
  /** Whether what is handed on next is a series. */
  let inSeries = false;
  let found = 0;
  let broken = false;
  let beside = 0;

  function scan(): void {
    while (at < text.length) {
      if (inString) {
        skipString();
        continue;
      }
      const code = text.charCodeAt(at);
      at += 1;
      if (code === QUOTE) {
        inString = true;
        stringFrom = at;
      } else if (code === OPEN_OBJECT || code === OPEN_LIST) open(code);
      else if (code === CLOSE_OBJECT || code === CLOSE_LIST) close();
      else if (code === COLON && depth < IN_RESULT) keys[depth] = said;
      else if (code === COMMA && !inSeries) comma();
    }
  }

  /** Goes behind the end of the string, or as far as it has come. */
  function skipString(): void {
    const end = text.indexOf('"', at);
    at = end < 0 ? text.length : end + 1;
    if (end < 0) return;
    let before = end;
    while (before > stringFrom && text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 1) return; // this quote is escaped
    inString = false;
    if (depth < IN_RESULT) said = text.slice(stringFrom, end);
  }

  function besides(): void {
    beside += 1;
    if (beside > MOST_BESIDE) throw new BeyondBound(`${countText(MOST_BESIDE)} values beside the points of its series`);
  }

  function comma(): void {
    besides();
    if (depth < IN_RESULT) keys[depth] = "";
  }

  function open(code: number): void {
    if (depth === IN_RESULT && inResult && code === OPEN_OBJECT) {
      handOn(at - 1);
      inSeries = true;
    } else if (!inSeries) besides();
    inResult ||= depth === IN_RESULT - 1 && code === OPEN_LIST && keys[1] === "data" && keys[2] === "result";
    depth += 1;
    if (depth < IN_RESULT) keys[depth] = "";
  }

  function close(): void {
    depth = Math.max(0, depth - 1);
    if (depth < IN_RESULT) inResult = false;
    if (depth !== IN_RESULT || !inSeries) return;
    const series = rawSeries(parsed(text.slice(from, at)));
    if (series === null) broken = true;
    else if (!broken) take(series);
    from = at;
    inSeries = false;
    found += 1;
    rest.push("0");
  }

  function handOn(to: number): void {
    rest.push(text.slice(from, to));
    from = to;
  }

  return {
    take(bytes) {
      text += decoder.write(bytes);
      scan();
      if (!inSeries && !inString) handOn(at);
      text = text.slice(from);
      if (text.length > SERIES_CHARS) throw new BeyondBound(`${sizeText(SERIES_CHARS)} in one series`);
      at -= from;
      stringFrom -= from;
      from = 0;
    },
    end() {
      rest.push(text, decoder.end());
      const answer = Answer.safeParse(parsed(rest.join(""))).data;
      if (answer === undefined || broken) return null;
      if (found === 0) return answer;
      const { result, resultType } = answer.data;
      if (resultType !== "matrix" && resultType !== "vector") return null;
      if (result.length !== found || result.some((one) => one !== 0)) return null;
      return { ...answer, data: { ...answer.data, result: [] } };
    },
  };
}

/** Undefined where it is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
