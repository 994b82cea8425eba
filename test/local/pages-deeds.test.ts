/** The forms of the pages: each does what the same person would do through the API, and its webhook follows. */
import { describe, expect, it } from "vitest";
import { at } from "./github-world.ts";
import { makeSession, startPagesWorld } from "./pages-world.ts";

describe("forms", () => {
  it("comment, command, label, close and reopen an issue", async () => {
    const { bot, submit, github, heard } = await startPagesWorld();
    await bot.rest.issues.create({ ...at, title: "One" });
    const path = "/octo/lab/issues/1";
    const said = await submit(path, { do: "comment", body: "two\r\nlines" });
    const [comment] = github.core.store.all("comment");
    expect(said.headers["location"]).toBe(`${path}#issuecomment-${comment!.id}`);
    expect(comment).toMatchObject({ body: "two\nlines", number: 1, appId: null });
    for (const word of ["status", "pause", "resume", "stop"]) await submit(path, { do: `say-${word}` });
    expect(github.core.store.all("comment").map(({ body }) => body)).toEqual([
      "two\nlines",
      "/autoresearch status",
      "/autoresearch pause",
      "/autoresearch resume",
      "/autoresearch stop",
    ]);
    const state = async () => (await bot.rest.issues.get({ ...at, issue_number: 1 })).data;
    await submit(path, { do: "label" });
    expect((await state()).labels).toMatchObject([{ name: "autoresearch" }]);
    await submit(path, { do: "unlabel" });
    expect((await state()).labels).toEqual([]);
    await submit(path, { do: "close" });
    expect((await state()).state).toBe("closed");
    await submit(path, { do: "reopen" });
    expect((await state()).state).toBe("open");
    expect((await heard("issues", "closed"))[0]?.body).toMatchObject({ sender: { login: "ada" } });
    expect((await heard("issue_comment", "created"))[0]?.body).toMatchObject({ sender: { login: "ada" } });
  });

  it("close, reopen and merge a pull request, and delete its branch", async () => {
    const world = await startPagesWorld();
    const { lost } = await makeSession(world);
    const path = `/octo/lab/pull/${lost.number}`;
    const state = async () => (await world.bot.rest.pulls.get({ ...at, pull_number: lost.number })).data;
    expect((await world.submit(path, { do: "reopen" })).status).toBe(303);
    expect(await state()).toMatchObject({ state: "open" });
    await world.submit(path, { do: "close" });
    expect(await state()).toMatchObject({ state: "closed", merged: false });
    await world.submit(path, { do: "reopen" });
    await world.submit(path, { do: "merge" });
    expect(await state()).toMatchObject({ state: "closed", merged: true, merged_by: { login: "ada" } });
    await world.submit(path, { do: "delete-branch" });
    expect(world.github.core.git(world.github.world.repo("octo/lab")).branch("autoresearch/1/exp-0002")).toBeNull();
  });

  it("press the buttons of a check, which only its app hears", async () => {
    const world = await startPagesWorld();
    const { check } = await makeSession(world);
    const path = `/octo/lab/runs/${check.id}`;
    expect((await world.submit(path, { action: "keep" })).status).toBe(303);
    expect((await world.heard("check_run", "requested_action"))[0]?.body).toMatchObject({
      requested_action: { identifier: "keep" },
      check_run: { id: check.id },
      sender: { login: "ada" },
    });
    expect((await world.submit(path, { do: "rerequest" })).status).toBe(303);
    expect(await world.heard("check_run", "rerequested")).toHaveLength(1);
    const { status, text } = await world.submit(path, { action: "unheard" });
    expect(status).toBe(502);
    expect(text).toContain("no such button");
    expect(await world.heard("check_run", "requested_action")).toHaveLength(1);
  });

  it("cancel a run and run it again", async () => {
    const world = await startPagesWorld();
    const { runId } = await makeSession(world);
    const path = `/octo/lab/actions/runs/${runId}`;
    const row = () => world.github.core.store.get("workflowRun", runId);
    await world.submit(path, { do: "cancel" });
    expect(row()).toMatchObject({ status: "completed", conclusion: "cancelled" });
    await world.submit(path, { do: "rerun" });
    expect(row()).toMatchObject({ status: "queued", attempt: 2 });
    expect((await world.page(`${path}/attempts/1`)).text).toContain("attempt 1");
  });

  it("say why something was not done", async () => {
    const world = await startPagesWorld("guest");
    const { lost, check } = await makeSession(world);
    const path = `/octo/lab/pull/${lost.number}`;
    const merge = await world.submit(path, { do: "merge" });
    expect(merge.status).toBe(502);
    expect(merge.text).toContain("It was not done: 403");
    expect(merge.text).toContain(`<a href="${path}">Back</a>`);
    expect((await world.submit(`/octo/lab/runs/${check.id}`, { action: "keep" })).text).toContain("write access");
    expect(await world.heard("check_run", "requested_action")).toEqual([]);
    for (const fields of [{ do: "say-anything" }, { do: "comment", body: " " }, { do: "burn" }, {}])
      expect((await world.submit(path, fields)).status).toBe(502);
  });
});
