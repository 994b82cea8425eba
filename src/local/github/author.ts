/** In whose name a commit is made. */
import type { Actor } from "./auth.ts";
import { type Core, doerOf } from "./core.ts";
import { userOf } from "./finders.ts";
import type { Signature } from "./git-forms.ts";
import { noReplyAddress } from "./shapes/commit.ts";

export type GivenAuthor = { readonly name: string; readonly email: string; readonly date?: string | undefined };

/** The author that was given, or the account of who asks; the date is the server's where none is given. */
export function signatureOf(
  call: { readonly core: Core; readonly actor: Actor },
  given: GivenAuthor | undefined,
): Signature {
  const date = given?.date === undefined ? call.core.now() : new Date(given.date);
  if (given !== undefined) return { name: given.name, email: given.email, date };
  const user = userOf(call.core.store, doerOf(call.actor).userId);
  return { name: user.name ?? user.login, email: noReplyAddress(user), date };
}
