/** One process that is GitHub: the REST API, git over HTTP, webhooks, and whatever pages are mounted. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { type Actions, type ActionsOptions, openActions } from "./actions.ts";
import { answerApi } from "./api.ts";
import type { Core } from "./core.ts";
import type { Repository } from "./entities.ts";
import { type Exchange, RequestCounter, type RequestTotals } from "./exchange.ts";
import { Faults } from "./faults.ts";
import { checkGitVersion } from "./git-command.ts";
import { isGitPath, serveGit } from "./git-http.ts";
import { GitRepository } from "./git-repository.ts";
import { Limits } from "./limits.ts";
import { allRoutes } from "./routes.ts";
import { Signals } from "./signals.ts";
import { Store } from "./store.ts";
import { Webhooks } from "./webhooks.ts";
import { worldOf, type World } from "./world-plane.ts";

export type LocalGitHubOptions = {
  /** The folder of the world; what is in it goes on. */
  readonly dir: string;
  /** 0 or not given: one that is free. */
  readonly port?: number;
  readonly host?: string;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly now?: () => Date;
  readonly actions?: ActionsOptions;
};

/** Serves what is neither the API nor git; null: not its path. */
export type PageHandler = (request: Request) => Promise<Response | null> | Response | null;

export type LocalGitHub = {
  /** Web root; git is at `${url}/owner/repo.git`. */
  readonly url: string;
  /** `${url}/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string;
  readonly core: Core;
  readonly world: World;
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  /** Runs and their runners. */
  readonly actions: Actions;
  /** What happens, as it happens. */
  readonly on: Signals["on"];
  /** Requests of apps so far, by what they cost. */
  readonly requests: () => RequestTotals;
  readonly resetRequests: () => void;
  /** Requests that no route fits: each was answered 501. */
  readonly unknownRoutes: readonly string[];
  /** Adds pages (and whatever else lives beside the API). */
  readonly serve: (handler: PageHandler) => void;
  readonly stop: () => Promise<void>;
};

/** Starts the local GitHub; resolves when it listens. */
export async function startLocalGitHub(options: LocalGitHubOptions): Promise<LocalGitHub> {
  await checkGitVersion();
  const host = options.host ?? "127.0.0.1";
  let listener: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  const { core, close } = openCore(options, url);
  const counter = new RequestCounter();
  const unknownRoutes: string[] = [];
  const pages: PageHandler[] = [];
  listener = listenerOf(core, pages, {
    onExchange: (exchange) => {
      counter.count(exchange);
      options.onExchange?.(exchange);
    },
    onUnknown: (name) => unknownRoutes.push(name),
  });
  const world = await worldOf(core);
  const actions = openActions(core, (handler) => void pages.push(handler), options.actions);
  return {
    url,
    apiUrl: core.apiUrl,
    core,
    world,
    faults: core.faults,
    webhooks: core.webhooks,
    actions,
    on: (topic, heard) => core.signals.on(topic, heard),
    requests: () => counter.totals(),
    resetRequests: () => counter.reset(),
    unknownRoutes,
    serve: (handler) => void pages.push(handler),
    stop: async () => {
      actions.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      close();
    },
  };
}

function openCore(options: LocalGitHubOptions, url: string): { core: Core; close: () => void } {
  const dir = path.resolve(options.dir);
  const now = options.now ?? ((): Date => new Date());
  const store = Store.open(path.join(dir, "world"));
  dropExpiredTokens(store, now());
  const signals = new Signals();
  const repositories = new Map<number, GitRepository>();
  const turns = new Map<number, Promise<unknown>>();
  const git = (repo: Repository): GitRepository => {
    const known = repositories.get(repo.id) ?? new GitRepository(repo.directory);
    repositories.set(repo.id, known);
    return known;
  };
  const faults = new Faults(() => {
    const refs = new Map([...repositories].map(([id, repository]) => [id, repository.refs]));
    return { store: store.snapshot(), refs: (repo) => refs.get(repo.id) ?? new Map<string, string>() };
  });
  const webhooks = new Webhooks(store, signals, now);
  const core: Core = {
    dir,
    url,
    apiUrl: `${url}/api/v3`,
    store,
    git,
    alone: (repo, work) => {
      const turn = (turns.get(repo.id) ?? Promise.resolve()).then(work);
      turns.set(
        repo.id,
        turn.catch(() => {}),
      );
      return turn;
    },
    webhooks,
    faults,
    limits: new Limits(now),
    signals,
    now,
  };
  const close = (): void => {
    webhooks.stop();
    for (const repository of repositories.values()) repository.close();
    store.close();
  };
  return { core, close };
}

function dropExpiredTokens(store: Store, now: Date): void {
  for (const token of store.all("token")) {
    if (token.expiresAt !== null && Date.parse(token.expiresAt) <= now.getTime()) store.remove("token", token.id);
  }
}

type Hooks = { readonly onExchange: (exchange: Exchange) => void; readonly onUnknown: (name: string) => void };

function listenerOf(core: Core, pages: readonly PageHandler[], hooks: Hooks) {
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  // As on GitHub Enterprise Server: REST below /api/v3, GraphQL beside it.
  app.on("ALL", ["/api/v3/*", "/api/graphql"], async (context) => {
    const { incoming } = context.env;
    const result = await answerApi(
      core,
      { routes: allRoutes, ...hooks },
      {
        method: context.req.method,
        target: (incoming.url ?? "").replace(/^\/api(\/v3)?/, ""),
        header: (name) => context.req.header(name),
        body: await context.req.text(),
      },
    );
    if (result !== null) return new Response(result.body === "" ? null : result.body, result);
    incoming.socket.destroy();
    return new Response(null, { status: 500 });
  });
  app.all("*", async (context) => {
    for (const page of pages) {
      const response = await page(context.req.raw);
      if (response !== null) return response;
    }
    return context.text("Not Found", 404);
  });
  const answer = getRequestListener((request, env) => app.fetch(request, env));
  return (request: IncomingMessage, response: ServerResponse): void => {
    const served = isGitPath((request.url ?? "").split("?", 1)[0]!)
      ? serveGit(core, request, response)
      : answer(request, response);
    served.catch((error: unknown) => {
      process.stderr.write(`local GitHub: ${String(error)}\n`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };
}
