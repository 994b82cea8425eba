/** Bodies of accounts and apps. */
import type { Core } from "../core.ts";
import type { App, Permissions, User } from "../entities.ts";
import { userOf } from "../finders.ts";
import { nodeId } from "./links.ts";

export function shapeUser(core: Core, user: User): Record<string, unknown> {
  const url = `${core.apiUrl}/users/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId("User", user.id),
    avatar_url: `${core.url}/avatars/u/${user.id}?v=4`,
    gravatar_id: "",
    url,
    html_url:
      user.type === "Bot" ? `${core.url}/apps/${user.login.replace(/\[bot\]$/, "")}` : `${core.url}/${user.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: "public",
    site_admin: false,
  };
}

export function shapeUserById(core: Core, id: number): Record<string, unknown> {
  return shapeUser(core, userOf(core.store, id));
}

/** The account's own page: what `GET /users/{username}` gives. */
export function shapePublicUser(core: Core, user: User): Record<string, unknown> {
  return {
    ...shapeUser(core, user),
    name: user.name,
    company: null,
    blog: "",
    location: null,
    email: user.email,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: core.store.all("repository").filter((repo) => repo.ownerId === user.id && !repo.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: user.createdAt,
    updated_at: user.createdAt,
  };
}

/** What the OpenAPI description calls an integration. */
export function shapeApp(core: Core, app: App): Record<string, unknown> {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId("App", app.id),
    client_id: app.clientId,
    owner: shapeUserById(core, app.ownerId),
    name: app.name,
    description: null,
    external_url: `${core.url}/apps/${app.slug}`,
    html_url: `${core.url}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: shapePermissions(app.permissions),
    events: [...app.events],
  };
}

export function shapePermissions(permissions: Permissions): Record<string, string> {
  return { metadata: "read", ...permissions };
}

/** `performed_via_github_app`: null for what a person did by hand. */
export function shapeViaApp(core: Core, appId: number | null): Record<string, unknown> | null {
  const app = appId === null ? undefined : core.store.get("app", appId);
  return app === undefined ? null : shapeApp(core, app);
}
