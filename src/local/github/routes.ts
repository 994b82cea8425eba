/** Every route of the API. Where two templates fit a path, the first has it. */
import type { Route } from "./route.ts";
import { repositoryRoutes } from "./routes/repositories.ts";

export const allRoutes: readonly Route[] = [...repositoryRoutes];
