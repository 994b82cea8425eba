import { untold } from "../../src/domain/proposal.ts";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { describe, expect, it } from "vitest";
import { formatRunName, formatSessionKey, formatTrialId, frontierBranch } from "../../src/domain/names.ts";
import { pullBody } from "../../src/domain/words.ts";
import { everything } from "../../src/github/view.ts";
import { hear } from "../../src/hints.ts";
import { shaOf } from "../support/session.ts";

type Payload = Record<string, unknown>;
type Change = Readonly<Record<string, unknown>>;

const bot = "autoresearch[bot]";
const samples = examples as unknown as readonly { readonly name: string; readonly examples: readonly Payload[] }[];

/** GitHub's own sample of a delivery, with some of it changed: deeper objects are changed in part. */
function sample(event: string, action: string | null, change: Change = {}): Payload {
  const found = samples.find((each) => each.name === event)!.examples;
  const chosen = found.find((each) => action === null || each["action"] === action);
  if (chosen === undefined) throw new Error(`no sample of ${event}.${action}`);
  return merged(chosen, change);
}

function merged(below: Payload, above: Change): Payload {
  const result: Payload = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const deeper = typeof value === "object" && value !== null && typeof below[key] === "object" && below[key] !== null;
    result[key] = deeper ? merged(below[key] as Payload, value as Change) : value;
  }
  return result;
}

/** `owner/repo#issue: aspects`, or null. */
function heard(event: string, payload: unknown): string | null {
  const found = hear(event, payload, bot);
  if (found === null) return null;
  const aspects = found.hint === everything ? "everything" : [...found.hint].join(", ");
  return `${formatSessionKey(found.key)}: ${aspects}`;
}

const trial = { issue: 12, experiment: 7, attempt: 1 };
const run = { display_title: formatRunName(trial), conclusion: null };
const session = "Codertocat/Hello-World#12";
const idea = {
  ...untold,
  description: "",
  hypothesis: "",
  expected: null,
  refutedBy: null,
  researcher: "mutate",
  kind: "other",
  askedBy: null,
  key: "k",
} as const;
const ownBody = pullBody(idea, { issue: 12, experiment: 7, parent: shaOf(1) });
const experimentBranch = { head: { ref: "autoresearch/12/exp-0007" } };

describe("a delivery is a hint", () => {
  it.each(["labeled", "unlabeled", "reopened", "edited"])("issues.%s: the issue", (action) => {
    expect(heard("issues", sample("issues", action, { issue: { number: 12 } }))).toBe(`${session}: issue`);
  });

  it.each<[string, string, Change, string]>([
    ["issue_comment", "created", { issue: { number: 12 }, comment: { body: "/autoresearch stop" } }, "comments, issue"],
    ["issue_comment", "edited", { issue: { number: 12 }, comment: { body: "/AutoResearch stop" } }, "everything"],
    [
      "issue_comment",
      "deleted",
      { issue: { number: 12 }, comment: { body: "the dashboard", user: { login: bot } } },
      "everything",
    ],
    [
      "issue_comment",
      "created",
      { issue: { number: 107, body: ownBody, pull_request: {} }, comment: { body: "/autoresearch stop" } },
      "pulls, comments, issue",
    ],
    ["pull_request", "closed", { pull_request: experimentBranch }, "pulls, refs"],
    ["pull_request", "closed", { pull_request: { head: { ref: frontierBranch(12) } } }, "pulls, refs"],
    ["check_run", "completed", { check_run: { status: "completed", external_id: formatTrialId(trial) } }, "checks"],
    ["workflow_run", "completed", { workflow_run: { ...run, conclusion: "cancelled" } }, "runs, checks"],
    ["workflow_run", "completed", { action: "in_progress", workflow_run: run }, "runs"],
    [
      "workflow_run",
      "completed",
      { workflow_run: { ...run, conclusion: "failure" }, sender: { login: bot } },
      "runs, checks",
    ],
  ])("%s.%s %j: %s", (event, action, change, aspects) => {
    expect(heard(event, sample(event, action, change))).toBe(`${session}: ${aspects}`);
  });

  it.each([
    ["push", "refs/heads/autoresearch/12/frontier"],
    ["push", "refs/heads/autoresearch/12/exp-0007"],
    ["push", "refs/heads/autoresearch/12/results"],
  ])("%s of %s: refs and pull requests", (event, ref) => {
    expect(heard(event, sample(event, null, { ref }))).toBe(`${session}: refs, pulls`);
  });
});

describe("a delivery is no hint when it is", () => {
  const comment = (change: Change) => sample("issue_comment", "created", change);
  it.each<[string, string, Payload]>([
    ["the bot's own echo", "issues", sample("issues", "labeled", { sender: { login: bot } })],
    ["a comment without a command", "issue_comment", comment({ comment: { body: "Well done." } })],
    [
      "an edit of a comment without a command",
      "issue_comment",
      sample("issue_comment", "edited", { comment: { body: "Well done." } }),
    ],
    [
      "a command on a pull request that is not the bot's",
      "issue_comment",
      comment({ issue: { pull_request: {}, body: "Mine." }, comment: { body: "/autoresearch stop" } }),
    ],
    ["about a pull request as an issue", "issues", sample("issues", "labeled", { issue: { pull_request: {} } })],
    ["a pull request from another branch", "pull_request", sample("pull_request", "opened")],
    [
      "a check that begins",
      "check_run",
      sample("check_run", "created", { check_run: { status: "queued", external_id: "12:7:1" } }),
    ],
    ["a check of another app", "check_run", sample("check_run", "completed")],
    ["the bot's own check", "check_run", sample("check_run", "completed", { check_run: { external_id: "12:7:1:1" } })],
    [
      "a run of another workflow",
      "workflow_run",
      sample("workflow_run", "completed", { workflow_run: { display_title: "CI" } }),
    ],
    ["a run that was just asked for", "workflow_run", sample("workflow_run", "requested", { workflow_run: run })],
    [
      "a run that succeeded, whose check is heard of by itself",
      "workflow_run",
      sample("workflow_run", "completed", { workflow_run: { ...run, conclusion: "success" } }),
    ],
    ["a push to the default branch", "push", sample("push", null, { ref: "refs/heads/main" })],
    ["a tag", "push", sample("push", null, { ref: "refs/tags/autoresearch/12/frontier" })],
    ["another event", "star", sample("star", null)],
  ])("%s", (_name, event, payload) => {
    expect(heard(event, payload)).toBeNull();
  });

  it.each([null, "text", 7, [], {}, { repository: {} }, { repository: { name: "r", owner: { login: 3 } } }])(
    "of another form: %j",
    (payload) => {
      expect(heard("issues", payload)).toBeNull();
    },
  );
});

describe("every sample that GitHub gives", () => {
  const all = samples.flatMap(({ name, examples: payloads }) => payloads.map((payload) => [name, payload] as const));

  it("is heard without an error, and named by its repository", () => {
    for (const [name, payload] of all) {
      const found = hear(name, payload, bot);
      if (found === null) continue;
      const { repository } = payload as { repository: { name: string; owner: { login: string } } };
      expect(found.key).toMatchObject({ owner: repository.owner.login, repo: repository.name });
    }
  });

  it("of an issue wakes its issue, whatever happened to it", () => {
    const issues = all.flatMap(([name, { issue }]) => (name === "issues" ? [issue as Payload] : []));
    expect(issues.length).toBeGreaterThan(20);
    for (const issue of issues) {
      const payload = sample("issues", "labeled", { issue });
      const wakes = hear("issues", payload, bot)?.key.issue ?? null;
      expect(wakes).toBe(issue["pull_request"] === undefined ? issue["number"] : null);
    }
  });
});
