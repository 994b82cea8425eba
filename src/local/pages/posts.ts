/** The addresses that take forms, and what they answer. */
import { issueOf } from "../github/finders.ts";
import { checkOf } from "./addresses.ts";
import { type ApiCall, carryOut, type Done, issueCall, pressCheck, runCall } from "./deeds.ts";
import { isFormToken } from "./guard.ts";
import { markup } from "./html.ts";
import { runOf } from "./actions.ts";
import { type Page, placeOf, type Site } from "./site.ts";

const formAddress = /^\/([^/]+)\/([^/]+)\/(issues|pull|runs|actions\/runs)\/(\d{1,15})$/;

/** Does what the form says; null: no form goes to this address. The guard has looked at where it came from. */
export async function answerForm(
  site: Site,
  request: Request,
  path: string,
  tokenOf: () => string,
): Promise<Page | Response | null> {
  const match = formAddress.exec(path);
  const [, owner = "", name = "", kind = "", id = ""] = match ?? [];
  const place = match === null ? null : placeOf(site, decodeURIComponent(owner), decodeURIComponent(name));
  if (place === null) return null;
  if (site.actAs === null) return refused("nobody acts on these pages", path, 403);
  const form = await request.formData().catch(() => new FormData());
  if (!isFormToken(form.get("token"), site.formToken))
    return refused("the page was made by an earlier process; load it again, then send the form", path, 403);

  const byApi = async (call: ApiCall | null): Promise<Done> =>
    call === null
      ? { kind: "refused", because: "the form says nothing that can be done here" }
      : carryOut(place, call, path, tokenOf);
  const look = async (): Promise<Done> => {
    switch (kind) {
      case "runs":
        return pressCheck(place, checkOf(place, Number(id)), form);
      case "actions/runs":
        return byApi(runCall(runOf(place, Number(id)).id, form));
      default:
        return byApi(issueCall(issueOf(site.core.store, place.repo, Number(id)), form));
    }
  };
  const done = await look();
  if (done.kind === "refused") return refused(done.because, path, 502);
  return new Response(null, { status: 303, headers: { location: done.address } });
}

function refused(because: string, path: string, status: 403 | 502): Page {
  const live = markup`<h1>Not done</h1><p>It was not done: ${because}.</p><p><a href="${path}">Back</a></p>`;
  return { title: "Not done", live, status };
}
