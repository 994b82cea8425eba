/** The researcher's brief, from the view: the frontier's files, the history, and what is in flight. */
import { formatSessionKey } from "../domain/names.ts";
import { type Brief, noNotes } from "../domain/proposal.ts";
import { baselineOf } from "../domain/results.ts";
import { sigmaOf } from "../domain/verdict.ts";
import { parseCandidate } from "../domain/trailers.ts";
import type { Context } from "./act.ts";
import { contentKey, readMutable } from "./files.ts";

export async function briefOf({ client, view }: Context, experiment: number): Promise<Brief> {
  const record = view.record!;
  const frontier = view.frontier!;
  const files = await readMutable(client, view, frontier, record.config.mutable);
  const ideas = [...view.pulls.values()].flatMap((pull) => {
    const message = view.commits.get(pull.head)?.message;
    const idea = message === undefined ? null : parseCandidate(message);
    return idea === null ? [] : [{ idea, open: pull.state === "open" }];
  });
  const tried = new Set([...record.tried, ...ideas.map(({ idea }) => idea.key)]);
  return {
    session: formatSessionKey(view.key),
    experiment,
    program: record.program,
    config: record.config,
    frontier,
    files: files.map(({ path, text }) => ({ path, text })),
    rows: view.rows,
    inFlight: ideas.filter(({ open }) => open).map(({ idea }) => idea.description),
    wasTried: (contents) => tried.has(contentKey(contents)),
    title: view.issue?.title ?? "",
    baseline: baselineOf(view.rows),
    frontierValue: view.rows.findLast((row) => row.outcome === "keep")?.value ?? null,
    sigma: sigmaOf(record.noise, record.config),
    recent: [],
    kinds: {},
    notes: noNotes,
    steering: [],
    model: null,
    left: { experiments: 0, hours: 0, usd: null },
    repair: null,
    library: {
      paths: () => Promise.resolve(files.map(({ path }) => path)),
      read: (path) => Promise.resolve(files.find((file) => file.path === path)?.text ?? null),
      experiment: () => Promise.resolve(null),
    },
    purse: { leftUsd: Number.POSITIVE_INFINITY, reserve: () => true, settle: () => {} },
  };
}
