/** What `npm run local` is told on the command line. */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../domain/thrown.ts";

export type LocalOptions = {
  /** The git repository whose code is researched; null: the world in `dir` is only shown. */
  readonly repo: string | null;
  readonly program: string | null;
  readonly dir: string;
  readonly runners: number;
  readonly experiments: number | null;
  readonly researcher: string | null;
  readonly sandbox: string | null;
  readonly port: number | null;
  readonly json: boolean;
  readonly push: boolean;
  readonly serve: boolean;
};

export const usage = `npm run local -- --repo PATH --program FILE [options]

Runs a research session on a git repository of yours, on this machine.

  --repo PATH          the repository; it is copied, and never written to without --push
  --program FILE       the instructions, in the manner of program.md
  --dir DIR            where the session lives (default: .local); the same DIR goes on with it
  --runners N          trainings at a time (default: 1)
  --experiments N      how many experiments (default: what the configuration says)
  --researcher KIND    claude (needs ANTHROPIC_API_KEY) | mutate (needs nothing)
  --sandbox MODE       auto | required | off
  --port P             port of the local GitHub (default: 4871, or a free one)
  --json               print the summary as JSON at the end, and nothing else
  --push               at the end, fetch the frontier into PATH as a branch
  --serve              afterwards, keep the web pages up until Ctrl-C`;

const forms = {
  repo: { type: "string" },
  program: { type: "string" },
  dir: { type: "string", default: ".local" },
  runners: { type: "string", default: "1" },
  experiments: { type: "string" },
  researcher: { type: "string" },
  sandbox: { type: "string" },
  port: { type: "string" },
  json: { type: "boolean", default: false },
  push: { type: "boolean", default: false },
  serve: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** The options, or one sentence about what is wrong with them. `help` is a problem whose sentence is the usage. */
export function parseOptions(
  args: readonly string[],
  defaults: Partial<LocalOptions> = {},
): LocalOptions | { problem: string } {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { problem: `${messageOf(error)}\n\n${usage}` };
  }
  if (values.help) return { problem: usage };
  const runners = wholeNumber(values.runners);
  const experiments = values.experiments === undefined ? null : wholeNumber(values.experiments);
  const port = values.port === undefined ? null : wholeNumber(values.port);
  if (runners === null || runners > 64)
    return { problem: `--runners must be a number from 1 to 64, got ${values.runners}.` };
  if (values.experiments !== undefined && experiments === null) {
    return { problem: `--experiments must be a whole number above 0, got ${values.experiments}.` };
  }
  if (values.port !== undefined && (port === null || port > 65_535))
    return { problem: `--port must be a port, got ${values.port}.` };
  if (values.researcher !== undefined && !["claude", "mutate"].includes(values.researcher)) {
    return { problem: `--researcher must be claude or mutate, got ${values.researcher}. ${commandHint}` };
  }
  if (values.researcher === "claude" && !process.env["ANTHROPIC_API_KEY"]?.trim()) return { problem: keyMissing };
  if (values.sandbox !== undefined && !["auto", "required", "off"].includes(values.sandbox)) {
    return { problem: `--sandbox must be auto, required or off, got ${values.sandbox}.` };
  }
  const explicit = args.some((arg) => arg === "--dir" || arg.startsWith("--dir="));
  const options: LocalOptions = {
    repo: values.repo ?? null,
    program: values.program ?? null,
    runners,
    experiments,
    researcher: values.researcher ?? null,
    sandbox: values.sandbox ?? null,
    port,
    json: values.json,
    push: values.push,
    serve: values.serve,
    ...defaults,
    dir: path.resolve(explicit ? values.dir : (defaults.dir ?? values.dir)),
  };
  return checked(options);
}

const commandHint = "An agent of your own is named in the configuration: see docs/researchers.md.";

const keyMissing = `--researcher claude needs a key of the Anthropic API, in the environment variable ANTHROPIC_API_KEY:

    ANTHROPIC_API_KEY=sk-ant-… npm run demo -- --researcher claude

Without a key, --researcher mutate changes one constant at a time.`;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: forms, strict: true, allowPositionals: false }).values;
}

function wholeNumber(text: string): number | null {
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null;
}

function checked(options: LocalOptions): LocalOptions | { problem: string } {
  const { repo, program, dir } = options;
  if (repo === null && !existsSync(path.join(dir, "app.json")))
    return { problem: `--repo is missing: which repository shall be researched?\n\n${usage}` };
  if (repo !== null && !existsSync(repo)) return { problem: `--repo ${repo} does not exist.` };
  if (repo !== null && program === null)
    return { problem: "--program is missing: a file with the instructions, such as program.md." };
  if (program !== null && !(existsSync(program) && statSync(program).isFile()))
    return { problem: `--program ${program} is not a file.` };
  return options;
}
