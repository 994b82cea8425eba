/**
 * Who asks. An app by its JWT (RS256, at most 10 minutes), an installation or a job by its token, a person by theirs.
 * Tokens are kept as SHA-256 digests; the secret is shown once, when it is made.
 */
import { createHash, createPublicKey, randomBytes } from "node:crypto";
import { decodeJwt, jwtVerify } from "jose";
import { ApiError } from "./answer.ts";
import type { App, Installation, Permissions, Token, User } from "./entities.ts";
import { indexOf, type Store } from "./store.ts";

export type Actor =
  | { readonly kind: "anonymous" }
  | { readonly kind: "app"; readonly app: App }
  | {
      readonly kind: "installation";
      readonly app: App;
      readonly installation: Installation;
      readonly permissions: Permissions;
      readonly repositoryIds: readonly number[];
      readonly job: boolean;
      readonly tokenId: string;
    }
  | { readonly kind: "person"; readonly user: User; readonly tokenId: string };

type World = { readonly store: Store; readonly now: () => Date };

const appsByClientId = indexOf("app", (app) => app.clientId);

/** The actor of an `Authorization` header. Throws 401 as GitHub does. */
export async function actorOf(world: World, header: string | undefined): Promise<Actor> {
  if (header === undefined || header === "") return { kind: "anonymous" };
  const [scheme = "", credentials = ""] = header.split(/\s+/, 2);
  if (scheme.toLowerCase() === "basic") {
    const text = Buffer.from(credentials, "base64").toString("utf8");
    return actorOfToken(world, text.slice(text.indexOf(":") + 1));
  }
  if (!/^(bearer|token)$/i.test(scheme)) throw badCredentials();
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(credentials) && !credentials.startsWith("ghs_")
    ? { kind: "app", app: await appOfJwt(world, credentials) }
    : actorOfToken(world, credentials);
}

function badCredentials(): ApiError {
  return new ApiError(401, "Bad credentials");
}

function actorOfToken(world: World, secret: string): Actor {
  const token = world.store.get("token", digest(secret));
  if (token === undefined) throw badCredentials();
  if (token.expiresAt !== null && Date.parse(token.expiresAt) <= world.now().getTime()) throw badCredentials();
  if (token.grant.kind === "personal") {
    const user = world.store.get("user", token.grant.userId);
    if (user === undefined) throw badCredentials();
    return { kind: "person", user, tokenId: token.id };
  }
  const installation = world.store.get("installation", token.grant.installationId);
  const app = installation === undefined ? undefined : world.store.get("app", installation.appId);
  if (installation === undefined || app === undefined) throw badCredentials();
  if (installation.suspendedAt != null && !token.grant.job)
    throw new ApiError(403, "This installation has been suspended");
  const chosen = token.grant.repositoryIds;
  return {
    kind: "installation",
    app,
    installation,
    permissions: token.grant.permissions,
    repositoryIds: installation.repositoryIds.filter((id) => chosen === null || chosen.includes(id)),
    job: token.grant.job,
    tokenId: token.id,
  };
}

async function appOfJwt(world: World, jwt: string): Promise<App> {
  let issuer: string;
  try {
    issuer = decodeJwt(jwt).iss ?? "";
  } catch {
    throw new ApiError(401, "A JSON web token could not be decoded");
  }
  const app = world.store.get("app", Number(issuer)) ?? world.store.one(appsByClientId, issuer);
  if (app === undefined) throw new ApiError(404, "Integration not found");
  const now = world.now();
  try {
    const { payload } = await jwtVerify(jwt, createPublicKey(app.publicKey), {
      algorithms: ["RS256"],
      currentDate: now,
      clockTolerance: 5,
    });
    const seconds = now.getTime() / 1000;
    if (payload.exp === undefined) throw new ApiError(401, "Missing 'expiration time' claim ('exp') in assertion");
    if (payload.exp > seconds + 605) {
      throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future");
    }
    return app;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const expired = error instanceof Error && "claim" in error && error.claim === "exp";
    throw expired
      ? new ApiError(
          401,
          "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
      : new ApiError(401, "A JSON web token could not be decoded");
  }
}

/** Keeps a new token and gives its secret. Installation tokens have GitHub's long form of 2026, dots included. */
export function mintToken(store: Store, grant: Token["grant"], expiresAt: string | null): string {
  const random = (bytes: number): string => randomBytes(bytes).toString("base64url");
  const secret =
    grant.kind === "personal"
      ? `ghp_${randomBytes(18).toString("hex")}`
      : `ghs_${grant.installationId}_${random(24)}.${random(180)}.${random(64)}`;
  store.put("token", { id: digest(secret), expiresAt, grant });
  return secret;
}

export function digest(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
