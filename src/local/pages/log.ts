/** A job's log as people read it: each line with its time, the runner's own marks as what they mean. */
import { markup, type Html } from "./html.ts";

const shownLines = 1_500;

/** The end of a log, at most 1,500 lines. */
export function logLines(log: string): Html {
  const lines = log.replace(/\n$/, "").split("\n");
  const hidden = Math.max(0, lines.length - shownLines);
  return markup`${hidden > 0 ? markup`<p class="empty">${hidden} earlier lines are in the raw log.</p>` : null}<div class="scroll"><table class="code log">${lines.slice(hidden).map(line)}</table></div>`;
}

function line(whole: string): Html | null {
  const [, clock = "", text = ""] = /^(?:\uFEFF?\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)[\d.]*Z )?(.*)$/s.exec(whole) ?? [];
  const { tone, shown } = meaningOf(withoutControls(text));
  if (shown === null) return null;
  return markup`<tr${tone === "" ? null : markup` class="${tone}"`}><td class="n">${clock}</td><td>${shown}</td></tr>
`;
}

/** `##[error]`, `##[group]` and their kin; null: a mark that shows nothing. */
function meaningOf(text: string): { readonly tone: string; readonly shown: string | null } {
  const match =
    /^(?:##\[|::)(error|warning|notice|debug|group|endgroup|command|section)(?: [^:]*)?(?:\]|::)(.*)$/s.exec(text);
  if (match === null) return { tone: "", shown: text };
  const [, mark, rest = ""] = match;
  if (mark === "endgroup") return { tone: "", shown: null };
  return { tone: mark ?? "", shown: rest };
}

function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- colours of a terminal are what is removed
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}
