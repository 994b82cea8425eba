/** What `actions/upload-artifact` does with one file. Its inputs: `name`, `path`, `if-no-files-found`. */
import { readFileSync, statSync } from "node:fs";

export type Upload = {
  readonly inputs: Readonly<Record<string, string>>;
  readonly send: (name: string, file: Buffer) => Promise<"kept" | "taken" | "gone">;
  readonly say: (line: string) => void;
};

/** True when the step has succeeded. */
export async function uploadArtifact({ inputs, send, say }: Upload): Promise<boolean> {
  const { name = "artifact", path = "" } = inputs;
  const wish = inputs["if-no-files-found"] ?? "warn";
  if (path === "" || !(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) {
    if (wish !== "ignore")
      say(`##[${wish === "error" ? "error" : "warning"}]No files were found with the path: ${path}`);
    return wish !== "error";
  }
  const file = readFileSync(path);
  const outcome = await send(name, file);
  if (outcome === "kept") say(`Artifact ${name} has been uploaded: ${file.length} bytes`);
  else
    say(
      `##[error]The artifact ${name} was not taken: ${outcome === "taken" ? "the run has one of this name" : "the job is over"}`,
    );
  return outcome === "kept";
}
