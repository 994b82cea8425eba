/** Artifacts: files that jobs hand in. A name is given once a run, as GitHub has it since version 4 of the action. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Core } from "../core.ts";
import { type Artifact, artifactsOf, type WorkflowJob } from "./rows.ts";

export function artifactFile(core: Core, id: number): string {
  return path.join(core.dir, "world", "artifacts", String(id));
}

/** Keeps a file of a job's run; null when the run has one of this name already. */
export function keepArtifact(core: Core, job: WorkflowJob, name: string, bytes: Buffer): Artifact | null {
  const { store } = core;
  if (artifactsOf(store, job.runId).some((known) => known.name === name)) return null;
  const id = store.nextId();
  const file = artifactFile(core, id);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return store.put("artifact", {
    id,
    repoId: job.repoId,
    runId: job.runId,
    name,
    bytes: bytes.length,
    digest: createHash("sha256").update(bytes).digest("hex"),
    createdAt: `${core.now().toISOString().slice(0, 19)}Z`,
  });
}
