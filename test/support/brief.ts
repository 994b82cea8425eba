/** A researcher's brief with sensible defaults: one file of constants, nothing tried. */
import { type Brief, type FileText, type Repair, noNotes } from "../../src/domain/proposal.ts";
import { base, configWith, shaOf } from "./session.ts";

export const train: FileText = {
  path: "train.py",
  text: "import math\n\nDEPTH = 8\nLR = 0.02  # of the matrices\nBETAS = (0.9, 0.95)\nBATCH: int = 2**18\n",
};

/** Equal contents have equal keys, as `contentKey` has it. */
export function keyOf(files: readonly FileText[]): string {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return JSON.stringify(sorted.map(({ path, text }) => [path, text]));
}

export function briefWith(given: Partial<Brief> & { readonly tried?: ReadonlySet<string> } = {}): Brief {
  const { tried = new Set(), ...rest } = given;
  return {
    session: "ada/nano#12",
    experiment: 1,
    program: "Lower val_bpb.",
    config: configWith(),
    frontier: base,
    files: [train],
    rows: [],
    inFlight: [],
    wasTried: (files) => tried.has(keyOf(files)),
    baseline: 1,
    frontierValue: 1,
    sigma: null,
    recent: [],
    kinds: {},
    notes: noNotes,
    steering: [],
    model: null,
    left: { experiments: 100, hours: 24, usd: null },
    repair: null,
    library: {
      paths: () => Promise.resolve([train.path]),
      read: (path) => Promise.resolve(path === train.path ? train.text : null),
      experiment: () => Promise.resolve(null),
    },
    purse: { leftUsd: Number.POSITIVE_INFINITY, reserve: () => true, settle: () => {} },
    ...rest,
  };
}

export function repairWith(given: Partial<Repair> = {}): Repair {
  return {
    experiment: 7,
    attempt: 1,
    head: shaOf(7),
    failure: "SyntaxError: invalid syntax (train.py, line 0)",
    description: "Twice the learning rate",
    hypothesis: "The learning rate is too small.",
    files: [{ path: "train.py", text: "LR = 0.04 +\n" }],
    diff: "-LR = 0.02\n+LR = 0.04 +\n",
    because: "SyntaxError: invalid syntax (train.py, line 1)",
    traceback: '  File "train.py", line 1\n    LR = 0.04 +\nSyntaxError: invalid syntax\n',
    ...given,
  };
}
