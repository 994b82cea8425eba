/**
 * What the doctor finds: from facts about an app and a repository to findings, each with what is the case, why it
 * matters and what to do. A session's start asks the same rules (start.ts); here all of them are answered at once.
 */
import { type Finding, ok } from "./finding.ts";
import { howToPermit, lackingPermissions } from "./permissions.ts";
import { type RepositoryFacts, ofRepository } from "./findings-repository.ts";

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

function permissionsOf({ permissions, url }: InstallationFacts, { wanted }: Facts): Finding {
  const what = lackingPermissions(permissions, wanted.permissions);
  if (what !== null) {
    return {
      id: "permissions",
      severity: "fail",
      what,
      why: "app.yml says of each permission what needs it",
      remedy: `${howToPermit}: ${url}`,
    };
  }
  if ((permissions["workflows"] ?? "none") !== "none") {
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
