/** What was asked for and can't be brought past the guard: the researchers of the product at the desk, one after the other. */
import { describe, expect, it, onTestFinished } from "vitest";
import { emptyLedger } from "../../src/domain/ledger.ts";
import {
  type Brief,
  type Desk as DeskState,
  type Researcher,
  type Steering,
  nothingSpent,
} from "../../src/domain/proposal.ts";
import { claude } from "../../src/researcher/claude/claude.ts";
import { command } from "../../src/researcher/command/command.ts";
import { Desk } from "../../src/researcher/desk.ts";
import { Later } from "../../src/researcher/later.ts";
import { briefWith, keyOf, repairWith } from "../support/brief.ts";
import { startMessagesServer, testKey } from "../support/messages-server/server.ts";
import { configWith, shaOf } from "../support/session.ts";
import { quick, submit } from "./claude-world.ts";
import { sayIt } from "./command-world.ts";

const PATH = process.env["PATH"] ?? "";
const wanted: Steering = { comment: 9, kind: "try", by: "ada", text: "tie weights", at: "", takenUpIn: null };
const repair = repairWith({ head: shaOf(7) });

type Hopeless = { readonly researcher: Researcher; readonly config: Brief["config"]; readonly because: RegExp };

/** A model that submits what it did not change, again and again. */
async function hopelessClaude(): Promise<Hopeless> {
  const server = await startMessagesServer(() => submit());
  onTestFinished(() => server.close());
  return {
    researcher: claude({ apiKey: testKey, baseUrl: server.url, path: PATH }, quick),
    config: configWith({ researcher: { fallbacks: [] } }),
    because: /^5 submissions of claude-opus-5-5 were refused; the last: Refused: it changes nothing\.$/,
  };
}

/** A script that answers without a change. */
function hopelessCommand(): Hopeless {
  return {
    researcher: command("agent", { commands: { agent: { run: sayIt, env: [] } }, environment: { PATH } }),
    config: configWith({ researcher: { kind: "command", command: "agent" } }),
    because: /^no change of agent passed the guard in 3 runs; the last: it changes nothing$/,
  };
}

/** A desk with money for a few conversations. */
function richDesk(): Desk {
  const desk = new Desk(keyOf);
  const purse = { desk: desk.account.desk, usd: 10, counted: nothingSpent, countedProposals: 0 };
  desk.sees({ ...emptyLedger, purse }, 20);
  return desk;
}

/** What is on the desk when the researcher is done. */
const think = (desk: Desk, researcher: Researcher, brief: Brief): Promise<DeskState> =>
  new Promise((resolve) => {
    const changed = () => resolve(desk.state);
    desk.think(researcher, brief, () => 0, changed);
  });

describe.each([
  ["claude", hopelessClaude],
  ["command", hopelessCommand],
])("with %s", (_name, hopeless) => {
  it("a repair that fails twice leaves the crash as it is", async () => {
    const { researcher, config, because } = await hopeless();
    const desk = richDesk();
    const brief = briefWith({ config, repair });
    const reason = expect.stringMatching(because) as string;
    expect(await think(desk, researcher, brief)).toMatchObject({ kind: "failed", because: reason });
    expect(await think(desk, researcher, brief)).toEqual({ kind: "beyondRepair", because: reason, head: shaOf(7) });
    // Another crash is another matter.
    const other = briefWith({ config, repair: repairWith({ head: shaOf(8) }) });
    expect(await think(desk, researcher, other)).toMatchObject({ kind: "failed", failures: 1 });
  });

  it("a `try` that fails twice is let go", async () => {
    const { researcher, config, because } = await hopeless();
    const desk = richDesk();
    const brief = briefWith({ config, steering: [wanted] });
    const reason = expect.stringMatching(because) as string;
    expect(await think(desk, researcher, brief)).toMatchObject({ kind: "failed", because: reason });
    expect(await think(desk, researcher, brief)).toEqual({ kind: "refused", because: reason, comment: 9 });
    // What else people ask for is no reason to ask for this again.
    desk.heed();
    expect(desk.state.kind).toBe("refused");
  });

  it("a new idea may be asked for again", async () => {
    const { researcher, config } = await hopeless();
    const desk = richDesk();
    for (const failures of [1, 2, 3])
      expect(await think(desk, researcher, briefWith({ config }))).toMatchObject({ kind: "failed", failures });
  });
});

it("waiting is no failure of what was asked for, and neither is what GitHub does not give", async () => {
  const desk = richDesk();
  const busy: Researcher = { propose: () => Promise.reject(new Later("overloaded", 1_000)) };
  const away = () => Promise.reject(new Error("GitHub answered 502"));
  const library: Brief["library"] = { paths: away, read: away, experiment: away };
  const { researcher, config } = hopelessCommand();
  for (const given of [{ repair }, { steering: [wanted] }])
    for (let time = 0; time < 3; time += 1) {
      expect(await think(desk, busy, briefWith(given))).toMatchObject({ kind: "failed", because: "overloaded" });
      expect(await think(desk, researcher, briefWith({ config, library, ...given }))).toMatchObject({
        kind: "failed",
        because: "GitHub answered 502",
      });
    }
});
