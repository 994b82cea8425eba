/**
 * Whether a repository's copy of the workflow is the one that we ship, in what matters: what the bot sends and looks for,
 * and what keeps the code under trial from tokens. Comments, texts of people, the pinned version of the action, time-outs
 * and steps of one's own are free.
 */
import { parse } from "yaml";
import { mayTrain } from "./machines.ts";

/** A place that differs, as a path such as `jobs.report.if`, and what is wrong there: the rest of a sentence. */
export type Difference = { readonly place: string; readonly problem: string };

const wholeFile = "the file";

type Fields = Readonly<Record<string, unknown>>;
type Job = { readonly key: string; readonly fields: Fields; readonly permissions: unknown };

/** Keys of a job whose meaning to the bot, or to what it trusts, changes with any other value. */
const jobKeys = [
  "name",
  "if",
  "needs",
  "runs-on",
  "outputs",
  "strategy",
  "concurrency",
  "environment",
  "uses",
] as const;

/** Every place of `text` that differs from the shipped workflow in what matters; none: it will do. */
export function workflowDifferences(text: string, shipped: string): Difference[] {
  let theirs: Fields;
  try {
    theirs = fieldsOf(parse(text, { logLevel: "error" }));
  } catch {
    return [{ place: wholeFile, problem: "is not valid YAML" }];
  }
  const ours = fieldsOf(parse(shipped));
  return [
    ...differs("run-name", theirs["run-name"], ours["run-name"]),
    ...triggerDifferences(theirs["on"], ours["on"]),
    ...differs("concurrency", theirs["concurrency"], ours["concurrency"]),
    ...jobDifferences(theirs, ours),
  ];
}

/** A half sentence for people: "`jobs.report.if` is missing, and should be …". */
export function sayDifference({ place, problem }: Difference): string {
  return place === wholeFile ? `it ${problem}` : `${quoted(place)} ${problem}`;
}

function missing(place: string): Difference {
  return { place, problem: "is missing" };
}

function unwanted(place: string): Difference {
  return { place, problem: "should not be there" };
}

/** As code of one line: what stands in the file is somebody's text. */
function quoted(text: string): string {
  const plain = text.replaceAll("`", "'").replace(/\s+/g, " ");
  return `\`${plain.length > 120 ? `${plain.slice(0, 119)}…` : plain}\``;
}

/** It runs for the bot alone, and takes what the bot sends. */
function triggerDifferences(theirs: unknown, ours: unknown): Difference[] {
  const triggers = triggersOf(theirs);
  const wanted = fieldsOf(triggersOf(ours)["workflow_dispatch"]);
  const dispatch = fieldsOf(triggers["workflow_dispatch"]);
  const inputs = fieldsOf(dispatch["inputs"]);
  const expected = fieldsOf(wanted["inputs"]);
  const place = (name: string) => `on.workflow_dispatch.inputs.${name}`;
  const others = Object.keys(triggers)
    .filter((name) => name !== "workflow_dispatch")
    .map((name) => unwanted(`on.${name}`));
  if (!("workflow_dispatch" in triggers)) return [...others, missing("on.workflow_dispatch")];
  const lacking = Object.keys(expected).flatMap((name) =>
    name in inputs
      ? differs(`${place(name)}.type`, fieldsOf(inputs[name])["type"] ?? "string", fieldsOf(expected[name])["type"])
      : [missing(place(name))],
  );
  // An input of their own is harmless, unless the bot would have to send it.
  const unsent = Object.keys(inputs).flatMap((name) => {
    const { required, default: fallback } = fieldsOf(inputs[name]);
    const demanded = !(name in expected) && required === true && fallback === undefined;
    return demanded ? [unwanted(place(name))] : [];
  });
  return [...others, ...lacking, ...unsent];
}

function triggersOf(on: unknown): Fields {
  const names = typeof on === "string" ? [on] : Array.isArray(on) ? on.map(String) : null;
  return names === null ? fieldsOf(on) : Object.fromEntries(names.map((name) => [name, {}]));
}

function jobDifferences(theirs: Fields, ours: Fields): Difference[] {
  const [have, want] = [jobsOf(theirs), jobsOf(ours)];
  const lacking = want.filter(({ key }) => !have.some((job) => job.key === key));
  const extra = have.filter(({ key }) => !want.some((job) => job.key === key));
  return [
    ...lacking.map(({ key }) => missing(`jobs.${key}`)),
    ...extra.map(({ key }) => unwanted(`jobs.${key}`)),
    ...want.flatMap((job) => {
      const other = have.find(({ key }) => key === job.key);
      return other === undefined ? [] : oneJob(other, job);
    }),
    ...secretsIn({ env: theirs["env"] }, "env"),
  ];
}

function oneJob(theirs: Job, ours: Job): Difference[] {
  const at = `jobs.${ours.key}`;
  return [
    ...jobKeys.flatMap((key) =>
      key === "runs-on" && !isExpression(ours.fields[key])
        ? machineDifferences(`${at}.${key}`, theirs.fields[key])
        : differs(`${at}.${key}`, theirs.fields[key], ours.fields[key]),
    ),
    ...differs(`${at}.permissions`, grantsOf(theirs.permissions), grantsOf(ours.permissions)),
    ...actionDifferences(at, theirs.fields, ours.fields),
    ...secretsIn(theirs.fields, at),
  ];
}

/** The report has a token that writes checks: it runs on any machine but one where candidates train. Which is theirs to say. */
function machineDifferences(place: string, theirs: unknown): Difference[] {
  if (theirs === undefined || theirs === null) return [missing(place)];
  const named = typeof theirs === "object" && !Array.isArray(theirs) ? fieldsOf(theirs)["labels"] : theirs;
  // A group alone: nothing is known of its machines.
  if (named === undefined) return [];
  const labels = [named].flat().map(String);
  // What an expression comes to may be anything.
  if (!mayTrain(labels.filter((label) => !isExpression(label)))) return [];
  const problem = `is ${quoted(labels.join(", "))}, which a machine that trains may take; name one of GitHub's, or a label that none of those has`;
  return [{ place, problem }];
}

function isExpression(value: unknown): boolean {
  return String(value).includes("${{");
}

/** The step that is the action: who it is, which inputs it gets, and the id by which the job's outputs name it. */
function actionDifferences(at: string, theirs: Fields, ours: Fields): Difference[] {
  const want = stepsOf(ours).find((step) => typeof step["uses"] === "string")!;
  const action = actionOf(want["uses"]);
  const place = `${at}.steps`;
  const found = stepsOf(theirs).filter((step) => withoutOwner(actionOf(step["uses"])) === withoutOwner(action));
  const [step] = found;
  if (step === undefined) return differs(`${place}.uses`, usesIn(theirs), action);
  if (found.length > 1) return [{ place: `${place}.uses`, problem: `is ${quoted(action)} more than once` }];
  const given = fieldsOf(step["with"]);
  const wanted = fieldsOf(want["with"]);
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(given)])];
  return [
    ...differs(`${place}.if`, step["if"], want["if"]),
    ...(want["id"] === undefined ? [] : differs(`${place}.id`, step["id"], want["id"])),
    ...names.flatMap((name) => differs(`${place}.with.${name}`, given[name], wanted[name])),
  ];
}

function usesIn(job: Fields): string | null {
  const used = stepsOf(job).flatMap((step) => (typeof step["uses"] === "string" ? [step["uses"]] : []));
  return used.length === 0 ? null : used.join(", ");
}

function actionOf(uses: unknown): string {
  return typeof uses === "string" ? uses.replace(/@.*$/, "").toLowerCase() : "";
}

/** A fork is as good: whoever may write to the default branch chooses whose copy of the action is run. */
function withoutOwner(action: string): string {
  return action.slice(action.indexOf("/") + 1);
}

/** The token of the job is named by `github.token`; any other secret must not be near the code under trial. */
function secretsIn(part: unknown, at: string): Difference[] {
  const text = textOf(part) ?? "";
  return /\bsecrets\b/.test(text) ? [{ place: at, problem: "names a secret, and should not" }] : [];
}

/** Permissions as `checks: write`, sorted, without those that are `none`. */
function grantsOf(permissions: unknown): string {
  if (typeof permissions === "string") return permissions;
  if (permissions === undefined) return "the repository's default";
  const granted = Object.entries(fieldsOf(permissions)).filter(([, level]) => level !== "none");
  return granted.length === 0
    ? "nothing"
    : granted
        .map(([name, level]) => `${name}: ${String(level)}`)
        .sort()
        .join(", ");
}

function jobsOf(workflow: Fields): Job[] {
  return Object.entries(fieldsOf(workflow["jobs"])).map(([key, value]) => {
    const fields = fieldsOf(value);
    return { key, fields, permissions: fields["permissions"] ?? workflow["permissions"] };
  });
}

function stepsOf(job: Fields): Fields[] {
  const { steps } = job;
  return Array.isArray(steps) ? steps.map(fieldsOf) : [];
}

function differs(place: string, theirs: unknown, ours: unknown): Difference[] {
  const [is, expected] = [textOf(theirs), textOf(ours)];
  // `if:` is an expression with and without its braces.
  const same = place.endsWith(".if") ? bare(is) === bare(expected) : is === expected;
  if (same) return [];
  if (expected === null) return [unwanted(place)];
  const found = is === null ? "is missing" : `is ${quoted(is)}`;
  return [{ place, problem: `${found}, and should be ${quoted(expected)}` }];
}

function bare(text: string | null): string | null {
  return text?.replace(/^\$\{\{ (.*) \}\}$/, "$1") ?? null;
}

/** One text for what GitHub reads alike: spaces in expressions, a list of one, the two names of the job's token. */
function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && value.length === 1) return textOf(value[0]);
  const text = typeof value === "string" ? value : JSON.stringify(sorted(value));
  return text
    .replace(/\$\{\{\s*(.*?)\s*\}\}/g, "${{ $1 }}")
    .replaceAll("secrets.GITHUB_TOKEN", "github.token")
    .trim();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
