import { describe, expect, it } from "vitest";
import { postmortemChart } from "../../knowledge/chart.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { postmortemHtml } from "../../knowledge/postmortem-html.ts";
import { incident, series } from "./incidents.ts";
import { hostile } from "./variants.ts";

const TAGS = new Set("html head meta title style body h1 h2 p table tr th td ul li code strong pre br img".split(" "));

const tagsOf = (html: string) => [...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag = ""]) => tag.toLowerCase());

describe("the draft as a page", () => {
  it("has every section of the draft, as headings, and the chart inside it", async () => {
    const markdown = postmortem(incident, [], [], { series, chartFile: "x.svg" });
    const html = postmortemHtml(markdown, await postmortemChart(incident, series));
    const headings = markdown.split("\n").filter((line) => line.startsWith("## "));
    expect([...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => `## ${text}`)).toEqual(headings);
    expect(html).toContain('src="data:image/svg+xml;base64,');
    expect(html).not.toMatch(/\\[_|*]|\*\*|^\| /m);
    expect(html).toContain("<code>error_rate</code>");
  });

  it("has no tag, handler or link but its own, whatever stands in logs and commit messages", () => {
    const html = postmortemHtml(postmortem(hostile, [], [], { series }), null);
    expect(tagsOf(html.replace(/<!doctype html>/, "")).filter((tag) => !TAGS.has(tag))).toEqual([]);
    expect(html).not.toMatch(/<[^>]*\son\w+=/i);
    expect(html).not.toMatch(/<a\b|<script/i);
    expect(html.match(/<img/g) ?? []).toEqual([]);
  });

  it("escapes what is no Markdown of ours too", () => {
    const html = postmortemHtml(
      "# <svg onload=x>\n\n<script>x</script>\n\n| <b> | `<i>` |\n| --- | --- |\n\n```text\n</pre><u>\n```",
      null,
    );
    expect(tagsOf(html.replace(/<!doctype html>/, "")).filter((tag) => !TAGS.has(tag))).toEqual([]);
    expect(html).toContain("&lt;script&gt;");
  });

  it("forbids the page to run or load anything", () => {
    expect(postmortemHtml("# x", null)).toContain("default-src 'none'");
  });
});
