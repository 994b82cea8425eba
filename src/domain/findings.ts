/**
 * What the doctor finds: from facts about an app and a repository to findings, each with what is the case, why it
 * matters and what to do. A session's start asks the same rules (start.ts); here all of them are answered at once.
 */
import { readConfig } from "./config-text.ts";
import type { Config } from "./config.ts";
import { configPath, triggerLabel } from "./names.ts";
import { isPublicAllowed, missingPaths, publicRemedy, publicRisk, workflowPath } from "./start.ts";
import { sayDifference, workflowDifferences } from "./workflow.ts";

/** `fail`: no session can work; `warn`: it can, but not well; `unknown`: the app can't see it. */
export type Severity = "ok" | "warn" | "fail" | "unknown";

/** Names that stay: people and scripts refer to them. */
export type FindingId =
  | "environment"
  | "credentials"
  | "installation"
  | "permissions"
  | "events"
  | "repository"
  | "workflow"
  | "config"
  | "mutable"
  | "program"
  | "public"
  | "runners"
  | "labels";

export type Finding = {
  readonly id: FindingId;
  readonly severity: Severity;
  /** What is the case. */
  readonly what: string;
  /** Why it matters, and what to do; null where nothing is to be done. */
  readonly why: string | null;
  readonly remedy: string | null;
};

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

export type InstallationFacts = {
  readonly suspended: boolean;
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  /** Where its owner changes it. */
  readonly url: string;
};

/** Why something could not be read. */
export type Unread = { readonly because: string };

export type Facts = {
  /** `owner/name`, as it was asked for. */
  readonly asked: string;
  /** What we ship: app.yml and the workflow. */
  readonly wanted: { readonly permissions: Readonly<Record<string, string>>; readonly events: readonly string[] };
  readonly shippedWorkflow: string;
  readonly app: { readonly slug: string } | Unread;
  /** null: the app is not installed there; or not asked, because of what is before it. */
  readonly installation: InstallationFacts | Unread | null;
  readonly repository: RepositoryFacts | Unread | null;
};

/** The findings in the order in which people can mend them; what can't be known for want of an earlier one is left out. */
export function findingsOf(facts: Facts): Finding[] {
  const { app, installation, repository } = facts;
  if ("because" in app) return [appUnread(app)];
  const known = ok("credentials", `GitHub knows the app as ${app.slug}`);
  if (installation === null || "because" in installation) return [known, notInstalled(facts.asked, app, installation)];
  const before = [
    known,
    installed(facts.asked, installation),
    permissionsOf(installation, facts),
    eventsOf(installation, facts),
  ];
  if (repository === null) return before;
  if ("because" in repository) return [...before, unreadable(facts.asked, repository)];
  return [...before, ...ofRepository(repository, facts.shippedWorkflow)];
}

/** Whether a session could work: nothing failed. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== "fail");
}

/** The finding of a process that can't even begin to ask. */
export function environmentFinding(problem: string): Finding {
  return {
    id: "environment",
    severity: "fail",
    what: problem,
    why: "without the app's credentials nothing can be asked of GitHub",
    remedy: "set it in the environment or in `.env`; `npm start` without credentials makes an app and writes `.env`",
  };
}

function ok(id: FindingId, what: string): Finding {
  return { id, severity: "ok", what, why: null, remedy: null };
}

function appUnread({ because }: Unread): Finding {
  return {
    id: "credentials",
    severity: "fail",
    what: `GitHub does not take the app's credentials: ${because}`,
    why: "the bot does everything as the app",
    remedy:
      "compare APP_ID with the app's settings page, make a new PRIVATE_KEY there, look at this machine's clock, and at GITHUB_API_URL on an enterprise server",
  };
}

function notInstalled(asked: string, app: { slug: string }, unread: Unread | null): Finding {
  return {
    id: "installation",
    severity: "fail",
    what:
      unread === null
        ? `${app.slug} is not installed on ${asked}`
        : `the installation can't be read: ${unread.because}`,
    why: "only an installation gives the bot access to a repository, and its webhooks",
    remedy: "on the app's settings page, *Install App*: choose the account, and this repository among those it may see",
  };
}

function installed(asked: string, installation: InstallationFacts): Finding {
  if (!installation.suspended) return ok("installation", `the app is installed on ${asked}`);
  return {
    id: "installation",
    severity: "fail",
    what: `the installation on ${asked} is suspended`,
    why: "a suspended app can read and write nothing",
    remedy: `lift the suspension at ${installation.url}`,
  };
}

const levels = ["none", "read", "write", "admin"];

function permissionsOf(installation: InstallationFacts, { wanted }: Facts): Finding {
  const held = (name: string) => installation.permissions[name] ?? (name === "metadata" ? "read" : "none");
  const lacking = Object.entries(wanted.permissions).filter(
    ([name, level]) => levels.indexOf(held(name)) < levels.indexOf(level),
  );
  if (lacking.length > 0) {
    return {
      id: "permissions",
      severity: "fail",
      what: `the app lacks ${lacking.map(([name, level]) => `${name}: ${level} (it has ${held(name)})`).join(", ")}`,
      why: "app.yml says of each permission what needs it",
      remedy: `add it on the app's settings page under *Permissions & events*, then accept the change at ${installation.url}`,
    };
  }
  if (held("workflows") !== "none") {
    return {
      id: "permissions",
      severity: "warn",
      what: "the app has workflows: write, which app.yml does not ask for",
      why: "without it GitHub refuses every commit of the app that changes a workflow, so that no experiment can change what judges it",
      remedy: "take it away on the app's settings page under *Permissions & events*",
    };
  }
  return ok("permissions", "the app has the permissions that app.yml asks for");
}

function eventsOf(installation: InstallationFacts, { wanted }: Facts): Finding {
  const missing = wanted.events.filter((event) => !installation.events.includes(event));
  if (missing.length === 0) return ok("events", "the app hears the events that app.yml asks for");
  return {
    id: "events",
    severity: "warn",
    what: `the app does not hear ${missing.join(", ")}`,
    why: "what no webhook tells is found by the sweep only, half an hour later",
    remedy: "tick them on the app's settings page under *Permissions & events*",
  };
}

function unreadable(asked: string, { because }: Unread): Finding {
  return {
    id: "repository",
    severity: "fail",
    what: `${asked} can't be read: ${because}`,
    why: "a session begins with the default branch: its code, its configuration, its workflow",
    remedy: "give the repository a first commit if it is empty, and mend the findings above",
  };
}

function ofRepository(repository: RepositoryFacts, shipped: string): Finding[] {
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
  if (!allowed) return ok("public", "the repository is public, and its runner is not labelled self-hosted");
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
