/**
 * What the local GitHub remembers. Rows are immutable: a change puts a new row in place of the old one, so that a
 * snapshot of the store is a copy of its maps. Git's refs and objects are not here: the bare repositories hold them.
 * Times are ISO 8601 with whole seconds, as GitHub gives them.
 */

export type Timestamp = string;

/** A level of access to one kind of thing, as in an app's permissions. */
export type PermissionLevel = "read" | "write" | "admin";
/** `{ contents: "write", issues: "write", … }` */
export type Permissions = Readonly<Record<string, PermissionLevel>>;
/** What a collaborator may do in one repository. */
export type CollaboratorPermission = "admin" | "maintain" | "write" | "triage" | "read" | "none";

export type User = {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Organization" | "Bot";
  readonly name: string | null;
  readonly email: string | null;
  readonly createdAt: Timestamp;
};

export type App = {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly clientId: string;
  readonly ownerId: number;
  /** The user `slug[bot]` in whose name the app writes. */
  readonly botId: number;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  /** Where its webhooks go; null: nowhere. */
  readonly webhookUrl: string | null;
  readonly webhookSecret: string;
  readonly publicKey: string;
  readonly createdAt: Timestamp;
};

export type Installation = {
  readonly id: number;
  readonly appId: number;
  /** The account whose repositories it reaches. */
  readonly accountId: number;
  readonly repositoryIds: readonly number[];
  readonly createdAt: Timestamp;
  /** When its owner put it to sleep; null or not there: it is awake. */
  readonly suspendedAt?: Timestamp | null;
};

/** A bearer's secret. `id` is the secret's SHA-256, so that the journal holds none. */
export type Token = {
  readonly id: string;
  readonly expiresAt: Timestamp | null;
  readonly grant:
    | { readonly kind: "personal"; readonly userId: number }
    | {
        readonly kind: "installation";
        readonly installationId: number;
        readonly permissions: Permissions;
        /** null: every repository of the installation. */
        readonly repositoryIds: readonly number[] | null;
        /** True for a job's GITHUB_TOKEN. */
        readonly job: boolean;
      };
};

export type Repository = {
  readonly id: number;
  readonly ownerId: number;
  readonly name: string;
  readonly private: boolean;
  readonly defaultBranch: string;
  readonly description: string | null;
  /** The bare repository. */
  readonly directory: string;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly pushedAt: Timestamp;
  /** Nobody writes to it any more. */
  readonly archived?: boolean;
  /** Names that it had, in lower case: they lead here while no other repository has them. */
  readonly formerNames?: readonly string[];
};

type Collaborator = {
  readonly id: string;
  readonly repoId: number;
  readonly userId: number;
  readonly permission: CollaboratorPermission;
};

/** What makes an issue a pull request. Branches are without `refs/heads/`; head and base are in the same repository. */
export type PullPart = {
  readonly id: number;
  readonly head: string;
  /** The repository of the head's branch, where that is another one. */
  readonly forkId?: number;
  readonly headSha: string;
  readonly base: string;
  /** Tip of the base branch when the pull request was last looked at while open. */
  readonly baseSha: string;
  readonly draft: boolean;
  readonly mergedAt: Timestamp | null;
  readonly mergedById: number | null;
  readonly mergeCommitSha: string | null;
};

/** An issue or a pull request: one sequence of numbers. */
export type Issue = {
  readonly id: number;
  readonly repoId: number;
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly state: "open" | "closed";
  readonly stateReason: "completed" | "not_planned" | "reopened" | "duplicate" | null;
  readonly userId: number;
  /** The app through which it was opened. */
  readonly appId: number | null;
  readonly labelIds: readonly number[];
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly closedAt: Timestamp | null;
  readonly closedById: number | null;
  /** The last edit of the body; undefined: nobody edited it. */
  readonly edited?: { readonly byId: number; readonly at: Timestamp };
  readonly pull: PullPart | null;
  /** Only who may write to the repository may speak here, and no app may. */
  readonly locked?: boolean;
  /** It was deleted (null), or lives on as an issue of another repository. Its number stays taken. */
  readonly gone?: { readonly to: { readonly repoId: number; readonly number: number } | null };
};

export type PullRequest = Issue & { readonly pull: PullPart };

export type Comment = {
  readonly id: number;
  readonly repoId: number;
  readonly number: number;
  readonly body: string;
  readonly userId: number;
  readonly appId: number | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
};

export const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] as const;
export type ReactionContent = (typeof reactionContents)[number];

export type Reaction = {
  readonly id: number;
  readonly repoId: number;
  /** `comment:ID` or `issue:ID` */
  readonly subject: string;
  readonly userId: number;
  readonly content: ReactionContent;
  readonly createdAt: Timestamp;
};

export type Label = {
  readonly id: number;
  readonly repoId: number;
  readonly name: string;
  readonly color: string;
  readonly description: string | null;
  readonly default: boolean;
};

export type IssueEvent = {
  readonly id: number;
  readonly repoId: number;
  readonly number: number;
  readonly event: "labeled" | "unlabeled" | "closed" | "reopened" | "merged" | "renamed";
  readonly actorId: number;
  readonly appId: number | null;
  readonly label: { readonly name: string; readonly color: string } | null;
  readonly rename: { readonly from: string; readonly to: string } | null;
  readonly commitSha: string | null;
  readonly createdAt: Timestamp;
};

export type CheckSuite = {
  readonly id: number;
  readonly repoId: number;
  readonly appId: number;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
};

export type CheckStatus = "queued" | "in_progress" | "completed";
export const checkConclusions = [
  "action_required",
  "cancelled",
  "failure",
  "neutral",
  "success",
  "skipped",
  "stale",
  "timed_out",
] as const;
export type CheckConclusion = (typeof checkConclusions)[number];

export type CheckAnnotation = {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column: number | null;
  readonly end_column: number | null;
  readonly annotation_level: "notice" | "warning" | "failure";
  readonly message: string;
  readonly title: string | null;
  readonly raw_details: string | null;
};

export type CheckRun = {
  readonly id: number;
  readonly repoId: number;
  readonly suiteId: number;
  readonly appId: number;
  readonly headSha: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly conclusion: CheckConclusion | null;
  readonly startedAt: Timestamp | null;
  readonly completedAt: Timestamp | null;
  readonly externalId: string;
  readonly detailsUrl: string | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
    readonly annotations: readonly CheckAnnotation[];
  };
  readonly actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
};

/** One attempt to deliver a webhook. A redelivery is a new row with the same guid. */
export type Delivery = {
  readonly id: number;
  readonly guid: string;
  readonly appId: number;
  readonly installationId: number | null;
  readonly repoId: number | null;
  readonly event: string;
  readonly action: string | null;
  readonly deliveredAt: string;
  readonly redelivery: boolean;
  readonly durationSeconds: number;
  /** `pending` until it was sent or given up. */
  readonly status: string;
  /** 0 where no answer came. */
  readonly statusCode: number;
  readonly url: string;
};

/** The body of a webhook, kept once for all attempts; `id` is the guid. */
type Payload = { readonly id: string; readonly body: string };

/**
 * Every kind of row by the name of its table. A part that lives in files of its own adds its rows by declaration merging:
 * `declare module "./entities.ts" { interface Tables { workflowRun: WorkflowRun } }`.
 */
export interface Tables {
  user: User;
  app: App;
  installation: Installation;
  token: Token;
  repository: Repository;
  collaborator: Collaborator;
  issue: Issue;
  comment: Comment;
  reaction: Reaction;
  label: Label;
  issueEvent: IssueEvent;
  checkSuite: CheckSuite;
  checkRun: CheckRun;
  delivery: Delivery;
  payload: Payload;
}

export type TableName = keyof Tables;
