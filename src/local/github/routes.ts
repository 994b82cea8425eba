/** Every route of the API. Where two templates fit a path, the first has it. */
import type { Route } from "./route.ts";
import { actionsRoutes } from "./routes/actions.ts";
import { appRoutes } from "./routes/apps.ts";
import { checkRoutes } from "./routes/checks.ts";
import { commentRoutes } from "./routes/comments.ts";
import { commitRoutes } from "./routes/commits.ts";
import { contentRoutes } from "./routes/contents.ts";
import { gitDataRoutes } from "./routes/git-data.ts";
import { graphqlRoutes } from "./routes/graphql.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { issueRoutes } from "./routes/issues.ts";
import { labelRoutes } from "./routes/labels.ts";
import { pullRoutes } from "./routes/pulls.ts";
import { refRoutes } from "./routes/refs.ts";
import { repositoryRoutes } from "./routes/repositories.ts";
import { userRoutes } from "./routes/users.ts";

export const allRoutes: readonly Route[] = [
  ...appRoutes,
  ...hookRoutes,
  ...userRoutes,
  ...graphqlRoutes,
  ...repositoryRoutes,
  // `issues/comments` before `issues/{issue_number}`; `commits/{ref}/check-runs` before `commits/{ref}`.
  ...commentRoutes,
  ...issueRoutes,
  ...labelRoutes,
  ...pullRoutes,
  ...checkRoutes,
  ...refRoutes,
  ...gitDataRoutes,
  ...commitRoutes,
  ...contentRoutes,
  ...actionsRoutes,
];
