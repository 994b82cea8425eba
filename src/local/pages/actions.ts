/** Runs of workflows: the list, and one run with its jobs, their steps and their logs. */
import { readFileSync } from "node:fs";
import { logFile, logSize } from "../github/actions/job-log.ts";
import {
  jobOfRunner,
  jobsOf,
  runsOf,
  type JobStep,
  type WorkflowJob,
  type WorkflowRun,
} from "../github/actions/rows.ts";
import { deedForm } from "./forms.ts";
import { fileHeaders } from "./guard.ts";
import { encodedPath, markup, type Html, type Piece } from "./html.ts";
import { pager } from "./lists.ts";
import { logLines } from "./log.ts";
import { commitLink, durationBetween, person, sign, timeOf, wordOf } from "./pieces.ts";
import { Missing, type Page, type Place } from "./site.ts";

const perPage = 100;

export function runsPage(place: Place, page: number): Page {
  const runs = runsOf(place.core.store, place.repo.id).reverse();
  const shown = runs.slice((page - 1) * perPage, page * perPage);
  const address = (to: number): string => `${place.base}/actions?page=${to}`;
  const live = markup`<h1>Actions</h1>
${runnerList(place)}
${shown.length === 0 ? markup`<p class="empty">No workflow has run yet.</p>` : markup`<ul class="rows">${shown.map((run) => runRow(place, run))}</ul>`}
${pager(page > 1 ? address(page - 1) : null, runs.length > page * perPage ? address(page + 1) : null)}`;
  return { title: "Actions", place, tab: "actions", live };
}

function runnerList(place: Place): Piece {
  const { store } = place.core;
  const runners = store.all("runner").filter((runner) => !runner.hosted);
  if (runners.length === 0) return markup`<p class="dim">No self-hosted runner has registered.</p>`;
  const items = runners.map((runner) => {
    const job = jobOfRunner(store, runner.id);
    const doing = job === undefined ? "idle" : markup`runs <a href="${jobAddress(place, job)}">${job.key}</a>`;
    return markup`<li><b>${runner.name}</b> ${runner.online ? doing : "offline"} <span class="dim">${runner.labels.join(", ")}</span></li>
`;
  });
  return markup`<ul class="runners" aria-label="Self-hosted runners">${items}</ul>`;
}

function runAddress(place: Place, run: { readonly id: number }): string {
  return `${place.base}/actions/runs/${run.id}`;
}

function jobAddress(place: Place, job: WorkflowJob): string {
  return `${runAddress(place, { id: job.runId })}/job/${job.id}`;
}

function runRow(place: Place, run: WorkflowRun): Html {
  const jobs = jobsOf(place.core.store, run).map((job) => markup` · ${sign(job)} ${job.key}`);
  return markup`<li>${sign(run)}<div><a class="title" href="${runAddress(place, run)}">${run.displayTitle}</a>
<p class="dim">${run.workflowName} #${run.number} · ${wordOf(run)} · ${timeOf(place.site, run.createdAt)}, ${runDuration(place, run)}${jobs}</p></div></li>
`;
}

function runDuration(place: Place, run: WorkflowRun): string {
  return durationBetween(place.site, run.startedAt, run.status === "completed" ? run.updatedAt : null);
}

export function runOf(place: Place, id: number): WorkflowRun {
  const run = place.core.store.get("workflowRun", id);
  if (run === undefined || run.repoId !== place.repo.id) throw new Missing(`There is no run ${id} in ${place.name}.`);
  return run;
}

/** `attempt`: an earlier one than the latest. */
export function runPage(place: Place, run: WorkflowRun, attempt = run.attempt): Page {
  const jobs = jobsOf(place.core.store, run, attempt);
  const earlier = Array.from({ length: run.attempt }, (_, at) => at + 1).filter((one) => one !== attempt);
  const others = earlier.map(
    (one) => markup` · <a href="${runAddress(place, run)}/attempts/${one}">attempt ${one}</a>`,
  );
  const inputs = Object.entries(run.inputs).map(
    ([name, value]) => markup`<dt>${name}</dt><dd>${inputView(place, value)}</dd>`,
  );
  const live = markup`<h1>${sign(run)} ${run.displayTitle} <span class="number">#${run.number}</span></h1>
<p class="facts"><a href="${place.base}/blob/${run.headSha}/${encodedPath(run.path)}">${run.workflowName}</a> · <b>${wordOf(run)}</b> · dispatched by ${person(place, run.triggeringActorId)} ${timeOf(place.site, run.startedAt)}, ${runDuration(place, run)} · <span class="ref">${run.headBranch}</span> at ${commitLink(place, run.headSha)}${run.attempt > 1 ? markup` · attempt ${attempt}` : null}${others}</p>
${runButtons(place, run)}
${inputs.length === 0 ? null : markup`<details id="inputs"><summary>Inputs</summary><dl class="facts">${inputs}</dl></details>`}
${jobs.length === 0 ? markup`<p class="empty">No job yet.</p>` : jobs.map((job) => jobSection(place, job))}`;
  return { title: `${run.displayTitle} #${run.number}`, place, tab: "actions", live, logs: true };
}

function inputView(place: Place, value: unknown): Html {
  if (typeof value !== "string") return markup`<code>${JSON.stringify(value)}</code>`;
  if (/^[0-9a-f]{40}$/.test(value)) return commitLink(place, value);
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === "object" && parsed !== null) return markup`<pre>${JSON.stringify(parsed, null, 2)}</pre>`;
  } catch {
    // Not JSON: shown as it is.
  }
  return markup`<code>${value}</code>`;
}

function runButtons(place: Place, run: WorkflowRun): Html | null {
  if (place.site.actAs === null) return null;
  const address = runAddress(place, run);
  const form =
    run.status === "completed"
      ? deedForm(place, address, "rerun", "Run it again")
      : run.cancelled
        ? markup`<span class="dim">It is being cancelled.</span>`
        : deedForm(place, address, "cancel", "Cancel run");
  return markup`<div class="deeds">${form}</div>`;
}

function jobSection(place: Place, job: WorkflowJob): Html {
  const took =
    job.startedAt === null ? null : markup` · ${durationBetween(place.site, job.startedAt, job.completedAt)}`;
  const where = job.runnerName === null ? markup`waits for ${job.labels.join(", ")}` : markup`on ${job.runnerName}`;
  const isOpen = job.status === "in_progress" || job.conclusion === "failure" || job.conclusion === "success";
  return markup`<section class="file job" id="job-${job.id}"><header>${sign(job)} <b>${job.key}</b>${job.name === job.key ? null : markup` <span class="dim long" title="${job.name}">${job.name}</span>`} <span class="dim">${wordOf(job)} · ${job.status === "queued" || job.runnerName !== null ? where : null}${took}</span></header>
${job.steps.length === 0 ? null : markup`<ol class="steps">${job.steps.map((step) => stepRow(place, step))}</ol>`}
${logSize(place.core, job.id) === 0 ? null : markup`<details id="log-${job.id}"${isOpen ? markup` open` : null}><summary>Log <a href="${jobAddress(place, job)}/log">raw</a></summary>${logLines(readLog(place, job))}</details>`}
</section>
`;
}

function stepRow(place: Place, step: JobStep): Html {
  const took =
    step.startedAt === null
      ? null
      : markup` <span class="dim">${durationBetween(place.site, step.startedAt, step.completedAt)}</span>`;
  return markup`<li>${sign(step)} ${step.name}${took}</li>
`;
}

function readLog(place: Place, job: WorkflowJob): string {
  return readFileSync(logFile(place.core, job.id), "utf8");
}

export function jobOf(place: Place, id: number): WorkflowJob {
  const job = place.core.store.get("workflowJob", id);
  if (job === undefined || job.repoId !== place.repo.id) throw new Missing(`There is no job ${id} in ${place.name}.`);
  return job;
}

/** The whole log of a job as text. */
export function rawLog(place: Place, job: WorkflowJob): Response {
  if (logSize(place.core, job.id) === 0) throw new Missing("There is no log of this job yet.");
  const headers = { ...fileHeaders, "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache" };
  return new Response(readLog(place, job), { headers });
}
