/**
 * How the code under trial is kept apart from the rest of the machine. One place wraps every command of a trial, so that
 * a sandbox, when there is one, is a change of this file alone.
 */

export type Sandbox = {
  /** As the measurement says it: `none`, later `bubblewrap`. */
  readonly name: string;
  /** The program and arguments that run `argv` inside. */
  readonly wrap: (argv: readonly string[]) => readonly string[];
};

const none: Sandbox = { name: "none", wrap: (argv) => argv };

/**
 * The sandbox for a trial. `auto` takes the best there is, which in this version is none.
 * @throws Error when one is required: a trial that asked for a sandbox never runs without one.
 */
export function sandboxFor(wish: "auto" | "required" | "off"): Sandbox {
  if (wish === "required") {
    throw new Error(
      "`sandbox: required` cannot be kept by this version of the action: a later one brings the sandbox. Nothing was run.",
    );
  }
  return none;
}
