/**
 * The draft as one HTML page that loads nothing: the Markdown that `postmortem` writes, and only that, rendered. All
 * text is escaped here whatever the Markdown did, and the page's policy forbids scripts and requests (CSP level 3).
 */
export function postmortemHtml(markdown: string, chart: string | null): string {
  const lines = markdown.split("\n");
  const title = plain(lines.find((line) => line.startsWith("# "))?.slice(2) ?? "Postmortem");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
${blocks(lines, chart)}
</body>
</html>
`;
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}" +
  "table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid #ccc;padding:.3rem .6rem;" +
  "text-align:left;vertical-align:top}pre{background:#f5f5f5;padding:.8rem;overflow-x:auto;line-height:1.2}" +
  "code{background:#f5f5f5;padding:0 .2em}img{max-width:100%}ul.todo{list-style:none;padding-left:0}";

function blocks(lines: readonly string[], chart: string | null): string {
  const out: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const fence = /^(`{3,})/.exec(line)?.[1];
    const run = (belongs: (one: string) => boolean) => {
      const from = at;
      while (at < lines.length && belongs(lines[at] ?? "")) at += 1;
      return lines.slice(from, at);
    };
    if (fence !== undefined) {
      at += 1;
      out.push(`<pre>${escapeHtml(run((one) => one !== fence).join("\n"))}</pre>`);
      at += 1;
    } else if (line.startsWith("| ")) out.push(table(run((one) => one.startsWith("| "))));
    else if (line.startsWith("- ")) out.push(list(run((one) => one.startsWith("- "))));
    else {
      at += 1;
      if (line !== "") out.push(paragraph(line, chart));
    }
  }
  return out.join("\n");
}

function paragraph(line: string, chart: string | null): string {
  const heading = /^(#{1,2}) (.*)$/.exec(line);
  if (heading !== null) return `<h${heading[1]?.length}>${inline(heading[2] ?? "")}</h${heading[1]?.length}>`;
  const image = /^!\[([^\]]*)\]\([^)]*\)$/.exec(line);
  if (image === null) return `<p>${inline(line)}</p>`;
  // As an image, so that nothing in the drawing is part of the page.
  const data = chart === null ? "" : Buffer.from(chart).toString("base64");
  return data === "" ? "" : `<p><img alt="${escapeHtml(image[1] ?? "")}" src="data:image/svg+xml;base64,${data}"></p>`;
}

function table(rows: readonly string[]): string {
  const cells = rows.map((row) => row.slice(2, -2).split(" | "));
  const [head = [], , ...body] = cells;
  const line = (tag: "th" | "td", row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${[line("th", head), ...body.map((row) => line("td", row))].join("\n")}\n</table>`;
}

function list(items: readonly string[]): string {
  const todo = items.every((item) => item.startsWith("- [ ] "));
  const shown = items.map((item) => `<li>${todo ? `☐ ${inline(item.slice(6))}` : inline(item.slice(2))}</li>`);
  return `<ul${todo ? ' class="todo"' : ""}>\n${shown.join("\n")}\n</ul>`;
}

/** Code, bold, escapes, and the two things that `prose` and tables write as HTML: entities and line breaks. */
function inline(text: string): string {
  const pattern = /`([^`]*)`|\*\*((?:[^*\\]|\\.)+)\*\*|\\([\\`*[\]|~_#+=>.)-])|&(amp|lt);|(<br>)|([\s\S])/g;
  return text.replaceAll(
    pattern,
    (_, code?: string, bold?: string, escaped?: string, entity?: string, br?: string, one?: string) => {
      if (code !== undefined) return `<code>${escapeHtml(code)}</code>`;
      if (bold !== undefined) return `<strong>${inline(bold)}</strong>`;
      if (escaped !== undefined) return escapeHtml(escaped);
      if (entity !== undefined) return `&${entity};`;
      return br ?? escapeHtml(one ?? "");
    },
  );
}

/** Without any markup: for the page's title. */
function plain(text: string): string {
  return inline(text).replaceAll(/<\/?(?:code|strong|br)>/g, "");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
