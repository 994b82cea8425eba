/** The page of a pull request: its text, what its checks say, what was said, its commits and what it changes. */
import { pullFiles } from "../github/differences.ts";
import type { PullRequest } from "../github/entities.ts";
import { checksAt } from "./at-commit.ts";
import { commitRow } from "./history.ts";
import { conversation, openingBox } from "./conversation.ts";
import { differences } from "./diff.ts";
import { deedForm, issueForms } from "./forms.ts";
import { encodedPath, markup, type Html } from "./html.ts";
import { checkLine, commitLink, count, labels, person, stateBadge, timeOf } from "./pieces.ts";
import type { Page, Place } from "./site.ts";

export async function pullPage(place: Place, pull: PullRequest): Promise<Page> {
  const { git } = place;
  const { baseSha, headSha } = pull.pull;
  const [files, commits] = await Promise.all([pullFiles(git, baseSha, headSha), git.commitsBetween(baseSha, headSha)]);
  const rows = await Promise.all([...commits].reverse().map((sha) => commitRow(place, sha)));
  const live = markup`<h1>${pull.title} <span class="number">#${pull.number}</span></h1>
<p class="facts">${stateBadge(pull)} ${story(place, pull, commits.length)} <span class="labels">${labels(place, pull)}</span></p>
${openingBox(place, pull)}
${checksSection(place, pull)}
${conversation(place, pull, null)}
${await buttons(place, pull)}
<h2 id="commits">Commits</h2>
<ul class="rows">${rows}</ul>
<h2 id="files">Changes</h2>
${differences(place, files, headSha)}`;
  return { title: `${pull.title} #${pull.number}`, place, tab: "pulls", live, still: issueForms(place, pull) };
}

function story(place: Place, pull: PullRequest, commits: number): Html {
  const { base, head, mergedAt, mergedById, mergeCommitSha } = pull.pull;
  const branch = (name: string): Html =>
    markup`<a class="ref" href="${place.base}/commits/${encodedPath(name)}">${name}</a>`;
  if (mergedAt !== null)
    return markup`${mergedById === null ? null : person(place, mergedById)} merged ${count(commits, "commit")} into ${branch(base)} from ${branch(head)}${mergeCommitSha === null ? null : markup` as ${commitLink(place, mergeCommitSha)}`} ${timeOf(place.site, mergedAt)}`;
  return markup`${person(place, pull.userId)} ${pull.state === "open" ? "wants" : "wanted"} to merge ${count(commits, "commit")} into ${branch(base)} from ${branch(head)}, ${timeOf(place.site, pull.createdAt)}`;
}

function checksSection(place: Place, pull: PullRequest): Html {
  const checks = checksAt(place, pull.pull.headSha);
  const found =
    checks.length === 0
      ? markup`<p class="empty">No check yet.</p>`
      : markup`<ul class="checks">${checks.map((run) => checkLine(place, run))}</ul>`;
  return markup`<h2 id="checks">Checks</h2>${found}`;
}

/** Merging, closing and deleting by hand, with whether git could merge it. */
async function buttons(place: Place, pull: PullRequest): Promise<Html | null> {
  if (place.site.actAs === null) return null;
  const address = `${place.base}/pull/${pull.number}`;
  const tip = place.git.branch(pull.pull.base);
  if (pull.state === "closed") {
    const branch = place.git.branch(pull.pull.head);
    return markup`<div class="deeds">${pull.pull.mergedAt === null ? deedForm(place, address, "reopen", "Reopen") : null}${branch === null ? null : deedForm(place, address, "delete-branch", "Delete branch")}</div>`;
  }
  const canMerge = tip !== null && (await place.git.mergeTree(tip, pull.pull.headSha)) !== null;
  const merge = canMerge
    ? deedForm(place, address, "merge", "Merge pull request", "first")
    : markup`<span class="bad">It conflicts with ${pull.pull.base}.</span>`;
  return markup`<div class="deeds">${merge}${deedForm(place, address, "close", "Close pull request")}</div>`;
}
