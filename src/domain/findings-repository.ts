/** What the doctor finds in a repository that it can read: the rules of a session's start (start.ts), all answered at once. */
import { readConfig } from "./config-text.ts";
import type { Config } from "./config.ts";
import { type Finding, ok } from "./finding.ts";
import { configPath, triggerLabel } from "./names.ts";
import {
  exposedPath,
  exposedRemedy,
  exposedRisk,
  isPublicAllowed,
  missingPaths,
  publicRemedy,
  publicRisk,
  workflowPath,
} from "./start.ts";
import { sayDifference, workflowDifferences } from "./workflow.ts";

export type RunnerFact = { readonly name: string; readonly online: boolean; readonly labels: readonly string[] };

export type RepositoryFacts = {
  readonly fullName: string;
  readonly isPublic: boolean;
  /** Its owner is an organization, whose runners a repository's list does not hold. */
  readonly ofOrganization: boolean;
  readonly archived: boolean;
  readonly baseBranch: string;
  readonly paths: readonly string[];
  readonly configText: string | null;
  readonly workflowText: string | null;
  readonly hasTriggerLabel: boolean;
  /** null: the app may not see runners. */
  readonly runners: readonly RunnerFact[] | null;
};

/** The findings in a repository, against the workflow that we ship. */
export function ofRepository(repository: RepositoryFacts, shipped: string): Finding[] {
  const { fullName, baseBranch, configText } = repository;
  const archived: Finding = {
    id: "repository",
    severity: "fail",
    what: `${fullName} is archived`,
    why: "nothing can be written to it",
    remedy: "unarchive it in its settings",
  };
  const result = readConfig(configText, "");
  const findings = [
    repository.archived ? archived : ok("repository", `${fullName} can be read; its default branch is ${baseBranch}`),
    workflowFinding(repository, shipped),
  ];
  const label = labelFinding(repository);
  if (!result.ok) {
    const invalid: Finding = {
      id: "config",
      severity: "fail",
      what: result.problem.replace(/\.$/, ""),
      why: "a session never starts on a guess",
      remedy: `mend it on ${baseBranch}; the README lists every key`,
    };
    return [...findings, invalid, label];
  }
  const { config } = result;
  const source = configText === null ? `there is no ${configPath}: the defaults hold` : `${configPath} is valid`;
  const program = programFinding(repository, config);
  return [
    ...findings,
    ok("config", source),
    mutableFinding(repository, config),
    ...(program === null ? [] : [program]),
    publicFinding(repository, config),
    runnersFinding(repository, config),
    label,
  ];
}

function workflowFinding({ workflowText, baseBranch }: RepositoryFacts, shipped: string): Finding {
  const trains = "it trains the candidates, and it is why a measurement can be believed";
  const remedy = `copy ${workflowPath} of autoresearch-app to ${baseBranch}`;
  if (workflowText === null) {
    return { id: "workflow", severity: "fail", what: `${workflowPath} is not on ${baseBranch}`, why: trains, remedy };
  }
  const differences = workflowDifferences(workflowText, shipped);
  if (differences.length === 0) return ok("workflow", `${workflowPath} is the one that we ship, in what matters`);
  const what = `${workflowPath} is not the one that we ship: ${differences.map(sayDifference).join("; ")}`;
  return { id: "workflow", severity: "fail", what, why: trains, remedy };
}

function mutableFinding({ paths, baseBranch }: RepositoryFacts, config: Config): Finding {
  const missing = missingPaths(config.mutable, paths);
  const exposed = exposedPath(config, paths);
  if (exposed !== null) {
    const what = `${exposed} is both \`mutable\` and \`trial.private\``;
    return { id: "mutable", severity: "fail", what, why: exposedRisk, remedy: exposedRemedy };
  }
  if (missing.length === 0) return ok("mutable", `what may change is there: ${config.mutable.join(", ")}`);
  return {
    id: "mutable",
    severity: "fail",
    what: `\`mutable\` names ${missing.join(", ")}, which does not exist on ${baseBranch}`,
    why: "the researcher may change these files and nothing else",
    remedy: `name files that exist in ${configPath}; the default is train.py`,
  };
}

function programFinding({ paths, baseBranch }: RepositoryFacts, { program }: Config): Finding | null {
  if (program === null) return null;
  if (paths.includes(program)) return ok("program", `the program is there: ${program}`);
  return {
    id: "program",
    severity: "fail",
    what: `\`program\` names ${program}, which does not exist on ${baseBranch}`,
    why: "it holds the instructions of every session",
    remedy: `add the file, or take \`program\` out of ${configPath}: the issue's text is the program then`,
  };
}

function publicFinding(repository: RepositoryFacts, config: Config): Finding {
  const { fullName, isPublic, configText } = repository;
  if (!isPublic) return ok("public", "the repository is private: strangers don't reach its runner");
  if (!isPublicAllowed(fullName, configText, config)) {
    const why = "a session does not start there";
    return {
      id: "public",
      severity: "fail",
      what: bare(publicRisk(fullName)),
      why,
      remedy: bare(publicRemedy(fullName)),
    };
  }
  const allowed = config.runner.allow_public !== null;
  if (!allowed) return ok("public", "the repository is public, and its runner is one of GitHub's own");
  return {
    id: "public",
    severity: "warn",
    what: `${fullName} is public, and a self-hosted runner is allowed by name`,
    why: "a workflow in anybody's pull request may run on that machine",
    remedy: "require approval for all outside contributors (*Settings → Actions → General*), and use ephemeral runners",
  };
}

function runnersFinding({ runners, fullName, ofOrganization }: RepositoryFacts, config: Config): Finding {
  const { labels } = config.runner;
  const wanted = labels.map((label) => label.toLowerCase());
  const names = labels.join(", ");
  const why = "a trial waits until a runner with all of these labels takes it; after a day GitHub gives it up";
  const remedy = `look at *Settings → Actions → Runners* of ${fullName}; runner-setup/README.md sets one up`;
  if (runners === null) {
    const what = `the app can't see runners, so whether one with the labels ${names} is online is not known`;
    const look = `${remedy}. (The app would need administration: read, which app.yml does not ask for)`;
    return { id: "runners", severity: "unknown", what, why, remedy: look };
  }
  const fitting = runners.filter((runner) => {
    const held = new Set(runner.labels.map((label) => label.toLowerCase()));
    return wanted.every((label) => held.has(label));
  });
  const online = fitting.filter((runner) => runner.online);
  if (online.length > 0) {
    return ok("runners", `online with the labels ${names}: ${online.map((runner) => runner.name).join(", ")}`);
  }
  if (fitting.length > 0) {
    const what = `with the labels ${names} there is ${fitting.map((runner) => runner.name).join(", ")}, but offline`;
    return { id: "runners", severity: "fail", what, why, remedy };
  }
  // GitHub's own machines are in no list, nor are an organization's in that of a repository.
  const elsewhere = ofOrganization || !wanted.includes("self-hosted");
  const what = `the repository has no runner with the labels ${names}`;
  if (!elsewhere) return { id: "runners", severity: "fail", what, why, remedy };
  const others = `${what}; one of GitHub's or of the organization's would not be listed`;
  return { id: "runners", severity: "unknown", what: others, why, remedy };
}

function labelFinding({ hasTriggerLabel }: RepositoryFacts): Finding {
  if (hasTriggerLabel) return ok("labels", `the label ${triggerLabel} is there`);
  return {
    id: "labels",
    severity: "warn",
    what: `there is no label ${triggerLabel} yet`,
    why: "putting it on an issue starts a session",
    remedy: `type its name into an issue's list of labels and choose *Create new label*, or run \`gh label create ${triggerLabel}\``,
  };
}

function bare(sentences: string): string {
  return sentences.replace(/\.$/, "");
}
