/** What Python's compiler says of a change, and how far its word counts. */
import { expect, test } from "vitest";
import { repairWith, train } from "../support/brief.ts";
import type { Reply } from "../support/messages-server/server.ts";
import { configWith } from "../support/session.ts";
import { ask, edit, proposalIn, resultsIn, submit } from "./claude-world.ts";

const check: Reply = { use: [{ name: "check_syntax", input: {} }] };
/** What no Python takes yet, as an older one does not take what the runner's does. */
const ofTomorrow = "BATCH = 1 ?? 2\n";

test("code that is not Python is not submitted", async () => {
  const asked = await ask([
    edit("LR = 0.02", "LR = = 2"),
    { use: [{ name: "check_syntax", input: {} }] },
    submit(),
    edit("LR = = 2", "LR = 2"),
    submit(),
  ]);
  const wrong = resultsIn(asked.server).filter(({ isError }) => isError);
  expect(wrong).toHaveLength(2);
  expect(wrong[0]!.text).toBe(
    "`train.py` is not valid Python.\n\n```text\nSyntaxError: invalid syntax (line 4)\nLR = = 2  # of the matrices\n```",
  );
  expect(wrong[1]!.text).toMatch(/^Refused: `train\.py` is not valid Python/);
  expect(proposalIn(asked).files[0]!.text).toContain("LR = 2");
});

test("what the Python here does not take of the frontier either is no fault of the change", async () => {
  const files = [{ ...train, text: train.text + ofTomorrow }];
  const asked = await ask([edit(), check, submit()], { files });
  const [, checked] = resultsIn(asked.server);
  expect(checked).toMatchObject({ isError: false });
  expect(checked!.text).toMatch(/^The syntax could not be checked \(the Python here may be older than the runner's, /);
  expect(checked!.text).toContain("SyntaxError: invalid syntax (line 7)");
  expect(proposalIn(asked).files).toEqual([{ path: "train.py", text: files[0]!.text.replace("0.02", "0.04") }]);
});

test("one file that the Python here does not take hides no fault in another", async () => {
  const files = [
    { path: "model.py", text: ofTomorrow },
    { path: "train.py", text: "LR = 0.02\n" },
  ];
  const config = configWith({ mutable: ["*.py"] });
  const script = [edit("1", "2", "model.py"), edit("0.02", "= 0.04"), submit(), edit("= 0.04", "0.04"), submit()];
  const asked = await ask(script, { files, config });
  expect(resultsIn(asked.server)[2]!.text).toMatch(/^Refused: `train\.py` is not valid Python/);
  expect(proposalIn(asked).files.map(({ text }) => text)).toEqual(["BATCH = 2 ?? 2\n", "LR = 0.04\n"]);
});

test("a repair of bad syntax is held against the frontier, another one against what ran", async () => {
  const crashed = { path: "train.py", text: `LR = 0.04\n${ofTomorrow}` };
  const script = [edit("LR = 0.04", "LR = 0.05"), submit(), edit("1 ?? 2", "1"), submit()];
  const syntax = await ask(script, { repair: repairWith({ files: [crashed] }) });
  expect(resultsIn(syntax.server)[1]!.text).toMatch(/^Refused: `train\.py` is not valid Python/);
  expect(proposalIn(syntax).files[0]!.text).toBe("LR = 0.05\nBATCH = 1\n");
  const memory = repairWith({ files: [crashed], failure: "OutOfMemoryError: CUDA out of memory" });
  expect(proposalIn(await ask(script, { repair: memory })).files[0]!.text).toBe(`LR = 0.05\n${ofTomorrow}`);
});
