/** A further pass: the bot's own observing and deciding over a world, by a process that remembers nothing and does nothing. */
import { Octokit } from "@octokit/rest";
import { decide } from "../../src/domain/decide.ts";
import { noAccount } from "../../src/domain/ledger.ts";
import type { Decision } from "../../src/domain/action.ts";
import { Client } from "../../src/github/client.ts";
import { observe } from "../../src/github/observe.ts";
import { sessionOf } from "../../src/github/session-of.ts";
import { emptyView } from "../../src/github/view.ts";
import { mintToken } from "../../src/local/github/auth.ts";
import type { Site } from "./sessions-seen.ts";

/** What the bot would do next for the session of this issue. */
export async function furtherPass(site: Site, issue: number): Promise<Decision> {
  const [owner = "", repo = ""] = site.repo.split("/");
  const slug = site.bot.replace(/\[bot\]$/, "");
  const view = emptyView({ owner, repo, issue });
  const identity = { slug, login: site.bot };
  const nowMs = site.github.core.now().getTime();
  const traits = { repairs: false, wordless: true };
  const study = { desk: { kind: "idle" }, account: noAccount, traits, passedOver: null } as const;
  await observe(clientOf(site, slug), view, identity, nowMs);
  const session = sessionOf(view, study, identity, nowMs);
  return session === null ? { kind: "wait", untilMs: null, because: "there is no issue" } : decide(session);
}

function clientOf({ github, repo }: Site, slug: string): Client {
  const { store } = github.core;
  const app = store.all("app").find((each) => each.slug === slug)!;
  const { id: repoId } = github.world.repo(repo);
  const installation = store
    .all("installation")
    .find((each) => each.appId === app.id && each.repositoryIds.includes(repoId))!;
  const grant = {
    kind: "installation",
    installationId: installation.id,
    permissions: app.permissions,
    repositoryIds: null,
    // So that it is not taken for the bot's own: it is not counted, and no fault that is meant for the bot hits it.
    job: true,
  } as const;
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return new Client(new Octokit({ baseUrl: github.apiUrl, auth: mintToken(store, grant, null), log }));
}
