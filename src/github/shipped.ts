/** What we ship for a repository to have: the workflow file, and what app.yml asks for. Read from beside the program. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { workflowFile } from "../domain/names.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Text of the workflow that users copy. */
export function shippedWorkflow(): string {
  return readFileSync(path.join(root, ".github/workflows", workflowFile), "utf8");
}

const manifestSchema = z
  .object({ default_permissions: z.record(z.string(), z.string()), default_events: z.array(z.string()) })
  .transform((manifest) => ({ permissions: manifest.default_permissions, events: manifest.default_events }));

/** What the app needs: permissions by name, and the events that it hears. */
export function shippedManifest(): z.output<typeof manifestSchema> {
  return manifestSchema.parse(parse(readFileSync(path.join(root, "app.yml"), "utf8")));
}
