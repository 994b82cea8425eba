/** What the app may do, against what app.yml asks for: one rule for the doctor and for a session's start. */

type Permissions = Readonly<Record<string, string>>;

const levels = ["none", "read", "write", "admin"];

/** What the app lacks, in a phrase; null: nothing. */
export function lackingPermissions(held: Permissions, wanted: Permissions): string | null {
  const levelOf = (name: string) => held[name] ?? (name === "metadata" ? "read" : "none");
  const lacking = Object.entries(wanted).filter(
    ([name, level]) => levels.indexOf(levelOf(name)) < levels.indexOf(level),
  );
  if (lacking.length === 0) return null;
  return `the app lacks ${lacking.map(([name, level]) => `${name}: ${level} (it has ${levelOf(name)})`).join(", ")}`;
}

/** What to do about it: a phrase. */
export const howToPermit =
  "add it on the app's settings page under *Permissions & events*, and accept the change where the app is installed";
