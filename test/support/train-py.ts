/** The target of end-to-end tests: a `train.py` that is its constants. */

/** Prints the value it is told to, in karpathy's form; `SLEEP` and `CRASH` make it slow or break it. */
export function trainPy(constants: { value: number; sleep?: number; crash?: boolean; other?: number }): string {
  return [
    `VALUE = ${constants.value}`,
    `SLEEP = ${constants.sleep ?? 0}`,
    `CRASH = ${constants.crash === true ? 1 : 0}`,
    `OTHER = ${constants.other ?? 0}`,
    "",
    "import time",
    "print('step 00001 (50.0%) | loss: 3.0', flush=True)",
    "time.sleep(SLEEP)",
    "1 / (1 - CRASH)",
    "print('---')",
    "print(f'val_bpb:          {VALUE + OTHER:.6f}')",
    "print('training_seconds: 0.1')",
    "print('peak_vram_mb:     2048.0')",
    "print('num_steps:        10')",
    "",
  ].join("\n");
}

/** Replaces constants in the text of a train.py. */
export function withConstants(text: string, constants: Readonly<Record<string, number>>): string {
  return Object.entries(constants).reduce(
    (sum, [name, value]) => sum.replace(new RegExp(`^${name} = .*$`, "m"), `${name} = ${value}`),
    text,
  );
}
