/**
 * GitHub-flavoured Markdown as HTML.
 *
 * Always: what marked made goes through the sanitizer last, so that no text of anybody's brings a script, a style, a form or
 * an address that is not http(s). Images are shown from this site alone; one from elsewhere becomes a link to it.
 */
import { Marked, type Tokens } from "marked";
import sanitize from "sanitize-html";
import { findUser } from "../github/finders.ts";
import { escaped, Html } from "./html.ts";
import { isNumber, ownPathOf, type Place } from "./site.ts";

/** The text, rendered as it would be in a comment: line ends break lines, `#12`, `@login` and commit ids are links. */
export function markdown(text: string, place: Place): Html {
  return rendered(text, place, true);
}

/** The text of a file: line ends are spaces, and nothing in it refers to issues. */
export function markdownFile(text: string, place: Place): Html {
  return rendered(text, place, false);
}

function rendered(text: string, place: Place, isComment: boolean): Html {
  // GitHub's own limit for a body; without one a hostile text could keep the process busy.
  const shown = text.slice(0, 262_144);
  const made = parserOf(place, isComment).parse(shown, { async: false });
  return new Html(sanitize(made, rulesOf(place)));
}

function parserOf(place: Place, isComment: boolean): Marked {
  let inLink = 0;
  return new Marked({
    gfm: true,
    breaks: isComment,
    renderer: {
      link(token: Tokens.Link): string {
        inLink += 1;
        const inner = this.parser.parseInline(token.tokens);
        inLink -= 1;
        const title = token.title === null || token.title === undefined ? "" : ` title="${escaped(token.title)}"`;
        return `<a href="${escaped(token.href)}"${title}>${inner}</a>`;
      },
      text(token: Tokens.Text | Tokens.Escape): string {
        if ("tokens" in token && token.tokens !== undefined) return this.parser.parseInline(token.tokens);
        // Entities that stand in the text stay what they are; everything else is escaped.
        const plain = token.text.replaceAll(/&(?!#?\w+;)|[<>"']/g, escaped);
        return isComment && inLink === 0 ? withReferences(plain, place) : plain;
      },
    },
  });
}

const references = /(?<![\w/&#])#(\d{1,9})\b|(?<![\w/@])@([A-Za-z\d][\w-]*(?:\[bot\])?)|\b([0-9a-f]{40})\b/g;

function withReferences(text: string, place: Place): string {
  return text.replaceAll(references, (whole: string, number?: string, login?: string, commit?: string) => {
    if (number !== undefined && isNumber(place, Number(number)))
      return `<a href="${escaped(place.base)}/issues/${Number(number)}">${whole}</a>`;
    if (commit !== undefined)
      return `<a href="${escaped(place.base)}/commit/${commit}"><code>${commit.slice(0, 7)}</code></a>`;
    if (login !== undefined && findUser(place.core.store, login) !== undefined)
      return `<a href="/${encodeURIComponent(login)}">${whole}</a>`;
    return whole;
  });
}

const structure = [
  ...words("h1 h2 h3 h4 h5 h6 p br hr div span blockquote pre details summary"),
  ...words("ul ol li dl dt dd input table thead tbody tfoot tr th td caption"),
];
const phrases = words("a img code samp kbd b strong i em s del ins u mark sub sup small q abbr");
const shared = ["align"];

function words(text: string): string[] {
  return text.split(" ");
}

function rulesOf(place: Place): sanitize.IOptions {
  const here = (address: string | undefined): string | null =>
    address === undefined ? null : ownPathOf(place.site, address);
  return {
    allowedTags: [...structure, ...phrases],
    allowedAttributes: {
      a: ["href", "title", "rel"],
      img: ["src", "alt", "title", "width", "height", "loading"],
      input: ["type", "checked", "disabled"],
      details: ["open"],
      ol: ["start"],
      th: [...shared, "colspan", "rowspan"],
      td: [...shared, "colspan", "rowspan"],
      p: shared,
      div: shared,
    },
    allowedSchemes: ["http", "https", "mailto"],
    allowProtocolRelative: false,
    nestingLimit: 60,
    transformTags: {
      a: (tagName, attribs) => ({
        tagName,
        attribs: {
          ...attribs,
          href: here(attribs["href"]) ?? attribs["href"] ?? "",
          rel: "nofollow noopener noreferrer",
        },
      }),
      img: (_, attribs) => {
        const source = here(attribs["src"]);
        if (source !== null) return { tagName: "img", attribs: { ...attribs, src: source } };
        const href = attribs["src"] ?? "";
        return {
          tagName: "a",
          attribs: { href, rel: "nofollow noopener noreferrer" },
          text: attribs["alt"] || "image",
        };
      },
      input: (tagName, attribs): sanitize.Tag => ({
        tagName,
        attribs: { type: "checkbox", disabled: "", ...("checked" in attribs ? { checked: "" } : {}) },
      }),
    },
  };
}
