import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Command, commandWords, helpText, mayHoldCommand, parseCommands } from "../../src/domain/command.ts";

/** The commands' words, with `?` for an unknown one and what it is near to. */
function said(markdown: string): string[] {
  return parseCommands(markdown).map((command: Command) =>
    command.kind === "unknown" ? `?${command.text}→${command.nearest}` : command.kind,
  );
}

describe("a command", () => {
  it.each(commandWords)("%s is known, in any case and with a full stop", (word) => {
    expect(said(`/autoresearch ${word}`)).toEqual([word]);
    expect(said(`/AutoResearch ${word.toUpperCase()}!`)).toEqual([word]);
    expect(said(`  /autoresearch\t${word}. And thank you.`)).toEqual([word]);
  });

  it.each([
    ["alone", "/autoresearch", ["help"]],
    ["after a greeting", "Hi!\n/autoresearch stop\nThanks", ["stop"]],
    ["with Windows' line ends", "Hi!\r\n/autoresearch stop\r\n", ["stop"]],
    ["in bold", "**/autoresearch stop**", ["stop"]],
    ["in a list", "- /autoresearch pause\n- [ ] /autoresearch resume", ["pause", "resume"]],
    ["in a list with paragraphs", "1. /autoresearch stop\n\n   /autoresearch help", ["stop", "help"]],
    [
      "several in one comment, in order",
      "/autoresearch pause\n/autoresearch status\n\n/autoresearch stop",
      ["pause", "status", "stop"],
    ],
    ["after a line break", "one  \n/autoresearch stop", ["stop"]],
    ["under a hidden comment", "<!-- note -->\n\n/autoresearch stop", ["stop"]],
    ["above a signature, whose dashes make it a heading", "/autoresearch stop\n-- \nAda", ["stop"]],
    ["in details that are folded", "<details>\n\n/autoresearch stop\n\n</details>", ["stop"]],
  ])("counts %s", (_name, markdown, words) => {
    expect(said(markdown)).toEqual(words);
  });

  it.each([
    ["in the middle of a line", "please say /autoresearch stop"],
    ["with something before it", "x/autoresearch stop"],
    ["of another app", "/autoresearch-beta stop"],
    ["run together", "/autoresearchstop"],
    ["in a code span", "`/autoresearch stop`"],
    ["whose word is a code span", "/autoresearch `stop`"],
    ["behind a code span", "`x` /autoresearch stop"],
    ["in a code block", "```\n/autoresearch stop\n```"],
    ["in a code block without an end", "~~~\n/autoresearch stop"],
    ["in indented code", "Look:\n\n    /autoresearch stop"],
    ["in a quote", "> /autoresearch stop"],
    ["in a quote that goes on without its mark", "> He said\n/autoresearch stop"],
    ["in a quote in a list", "- > /autoresearch stop"],
    ["in an HTML comment", "<!--\n/autoresearch stop\n-->"],
    ["in an HTML comment in a line", "a <!-- x\n/autoresearch stop\n--> b"],
    ["in HTML", "<pre>\n/autoresearch stop\n</pre>"],
    ["in a heading", "# /autoresearch stop"],
    ["struck out", "~~/autoresearch stop~~"],
    ["in a table", "| a |\n| --- |\n| /autoresearch stop |"],
    ["as a link's text", "[/autoresearch stop](https://x.test)"],
    ["escaped", "\\/autoresearch stop"],
    ["nowhere", "stop"],
  ])("does not count %s", (_name, markdown) => {
    expect(said(markdown)).toEqual([]);
  });

  it.each([
    ["stpo", "stop"],
    ["paus", "pause"],
    ["continue", "null"],
    ["Resum3", "resume"],
    ["shutdown", "null"],
  ])("%s is unknown; the nearest is %s", (word, nearest) => {
    expect(said(`/autoresearch ${word}`)).toEqual([`?${word}→${nearest}`]);
  });

  it("is one of ten at most, and of no comment of more than 20 000 characters", () => {
    expect(said("/autoresearch status\n".repeat(50))).toHaveLength(10);
    expect(said(`/autoresearch stop\n${"x".repeat(20_000)}`)).toEqual([]);
  });

  it.each([">", "> ", "- ", "1. ", "[", "`a``", "<!--", "**a*", "\\"])(
    "is looked for in bounded time under thousands of %j",
    (mark) => {
      const comment = `${mark.repeat(9_000).slice(0, 19_000)}\n\n/autoresearch stop`;
      expect(said(comment).every((word) => word === "stop")).toBe(true);
    },
  );

  it("is never an error, and never seen where the cheap look sees none", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "/autoresearch",
        " stop",
        " pause",
        "\n",
        "\n\n",
        "`",
        "```\n",
        "> ",
        "- ",
        "<!--",
        "-->",
        "~~",
        "\u0000",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (markdown) => {
        const commands = parseCommands(markdown);
        if (!mayHoldCommand(markdown)) expect(commands).toEqual([]);
        for (const command of commands) if (command.kind === "unknown") expect(command.text).not.toContain("\u0000");
      }),
      { numRuns: 120 },
    );
  });
});

describe("help", () => {
  it("describes every command", () => {
    expect(helpText()).toMatchInlineSnapshot(`
      "Commands, on the issue or on a pull request of the session, at the beginning of a line, by people with write access:

      | command | |
      | --- | --- |
      | \`/autoresearch stop\` | ends the session: running trials are cancelled, open experiments are closed as withdrawn |
      | \`/autoresearch pause\` | starts nothing new; what is training is measured and settled |
      | \`/autoresearch resume\` | goes on after a pause, or after a block whose cause is mended |
      | \`/autoresearch rerun\` | on an experiment's pull request: measures it once more, though it was settled |
      | \`/autoresearch keep\` | on an experiment's pull request: keeps it unless it is worse, however small or unlikely the gain |
      | \`/autoresearch status\` | says where the session stands |
      | \`/autoresearch note\` | tells the researcher something that it heeds from then on: \`note keep the batch size\` |
      | \`/autoresearch try\` | has the researcher try an idea next; the pull request says who asked: \`try weight tying\` |
      | \`/autoresearch model\` | has another model propose from now on: \`model NAME\`; \`model default\` as configured again |
      | \`/autoresearch help\` | lists these commands |

      Closing the issue or taking the label \`autoresearch\` off does the same as \`stop\`."
    `);
  });
});
