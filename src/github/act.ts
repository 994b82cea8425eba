/**
 * Act: carries out one action and folds GitHub's answers into the view. Every action here may be done again, by this
 * process after a crash or by another one beside it: names are locks, refs move by compare-and-swap, comments are found
 * by their markers, and the write that finishes an action comes last.
 *
 * A write whose outcome is unknown throws; the loop then looks at everything again before it decides anything.
 */
import { type Action } from "../domain/action.ts";
import type { Account } from "../domain/ledger.ts";
import type { Client } from "./client.ts";
import { cancelRun, dispatch } from "./act-trial.ts";
import { advance, carry, openExperiment } from "./act-experiment.ts";
import { describe, mend } from "./act-repair.ts";
import { dropTry, fillPurse, heedEdit } from "./act-steering.ts";
import { label, refuseStart } from "./act-labels.ts";
import { ask, completeCheck, conclude, finish, obey, showDashboard, tellMoved } from "./act-people.ts";
import { followBranch, record, setState, start } from "./act-results.ts";
import type { Identity, View } from "./view.ts";

/** Where an action is carried out. */
export type Context = {
  readonly client: Client;
  readonly view: View;
  readonly identity: Identity;
  readonly now: () => number;
  /** What the researcher has spent: each write of session.json books it. */
  readonly account: () => Account;
};

/** What `act` does itself; proposing is the desk's. */
export type GitHubAction = Exclude<Action, { kind: "propose" }>;

export async function act(action: GitHubAction, context: Context): Promise<void> {
  switch (action.kind) {
    case "refuseStart":
      return refuseStart(action, context);
    case "start":
      return start(action, context);
    case "obey":
      return obey(action, context);
    case "setState":
      return setState(action.change, action.restart, context);
    case "completeCheck":
      return completeCheck(action, context);
    case "cancelRun":
      return cancelRun(action, context);
    case "dispatch":
      return dispatch(action, context);
    case "advance":
      return advance(action, context);
    case "carry":
      return carry(action, context);
    case "record":
      return record(action, context);
    case "ask":
      return ask(action, context);
    case "conclude":
      return conclude(action, context);
    case "open":
      return openExperiment(action, context);
    case "finish":
      return finish(action, context);
    case "mend":
      return mend(action, context);
    case "describe":
      return describe(action, context);
    case "fillPurse":
      return fillPurse(context);
    case "dropTry":
      return dropTry(action, context);
    case "heedEdit":
      return heedEdit(action, context);
    case "tellMoved":
      return tellMoved(action, context);
    case "followBranch":
      return followBranch(action, context);
    case "label":
      return label(action, context);
    case "showDashboard":
      return showDashboard(action, context);
  }
}
