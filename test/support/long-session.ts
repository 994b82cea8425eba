/** A session of very many experiments, as it may look after weeks: made up, the same each time. */
import type { Brief, PastExperiment } from "../../src/domain/proposal.ts";
import type { Row } from "../../src/domain/results.ts";
import { briefWith } from "./brief.ts";
import { rowWith } from "./session.ts";

const parts = [
  "the embedding",
  "attention",
  "the MLP",
  "RMSNorm",
  "the optimiser's momentum",
  "the warm-up",
  "weight decay",
  "the value head",
];
const deeds = [
  "Scale the learning rate of",
  "Halve the width of",
  "Share weights across",
  "Remove the bias from",
  "Clip gradients of",
  "Put a gate on",
];

function rowOf(experiment: number, best: number): Row {
  const description = `${deeds[experiment % deeds.length]} ${parts[experiment % parts.length]} by ${(1 + (experiment % 17) / 10).toFixed(1)}`;
  if (experiment % 29 === 0)
    return rowWith({
      experiment,
      description,
      value: null,
      outcome: "crash",
      because: "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 4.50 GiB",
    });
  if (experiment % 11 === 0) return rowWith({ experiment, description, value: best - 0.0003, outcome: "keep" });
  const outcome = experiment % 7 === 0 ? "within_noise" : "discard";
  return rowWith({ experiment, description, value: best + ((experiment * 7919) % 100) / 20_000, outcome });
}

/** A brief after so many experiments, with a train.py of 26 KB. */
export function longSession(count: number): Brief {
  const rows: Row[] = [rowWith({ experiment: 0, description: "baseline", value: 1, outcome: "keep" })];
  let best = 1;
  for (let experiment = 1; experiment <= count; experiment += 1) {
    const row = rowOf(experiment, best);
    if (row.outcome === "keep") best = row.value!;
    rows.push(row);
  }
  const line = "        x = x + self.attn(norm(x), cos_sin, window_size)  # residual\n";
  const text = `DEPTH = 8\nLR = 0.02\n${line.repeat(Math.ceil(26_000 / line.length))}`;
  const recent = rows.slice(-5).map((row): PastExperiment => ({
    row,
    hypothesis: "The part is larger than the budget can train, so a smaller one should make more steps.",
    diff: `--- a/train.py\n+++ b/train.py\n@@ -1,3 +1,3 @@\n${"-DEPTH = 8\n+DEPTH = 9\n".repeat(12)}`,
    metrics: {
      val_bpb: row.value ?? 0,
      training_seconds: 300.1,
      peak_vram_mb: 45_060.2,
      num_steps: 953,
      mfu_percent: 39.8,
    },
    curve: Array.from({ length: 200 }, (_, index) => 3.5 - index / 100),
    logTail: "step 00953 (100.0%) | loss: 2.998 | lrm: 0.00 | dt: 315ms | tok/sec: 1,661,000 | mfu: 39.8\n".repeat(12),
  }));
  const note = (index: number) => `Lesson ${index}: smaller steps in the value head do not show above the noise.`;
  return briefWith({
    experiment: count + 1,
    rows,
    recent,
    files: [{ path: "train.py", text }],
    inFlight: ["Put a gate on attention by 1.4", "Halve the width of the MLP by 2.0"],
    frontierValue: best,
    sigma: 0.0004,
    kinds: {
      hyperparameter: { tried: 500, kept: 40 },
      architecture: { tried: 300, kept: 30 },
      optimiser: { tried: 100, kept: 15 },
      simplify: { tried: 99, kept: 5 },
    },
    notes: {
      lessons: Array.from({ length: 20 }, (_, index) => note(index)),
      ideas: Array.from({ length: 20 }, (_, index) => note(index)),
      foreclosed: Array.from({ length: 20 }, (_, index) => note(index)),
    },
    left: { experiments: 500, hours: 90, usd: 60 },
  });
}
