/**
 * The process: reads the environment, serves, and ends when it is told to. Only it and the doctor have process.env.
 *
 * Without APP_ID and PRIVATE_KEY there is no app yet: Probot's set-up page then makes one from app.yml and writes `.env`.
 * Always: SIGTERM and SIGINT end the process with status 0 within a bounded time, whatever it is at; the second one ends it
 * at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "probot";
import { optionsOf } from "./environment.ts";
import { Refused } from "./identify.ts";
import { closeWithinMs, serve } from "./serve.ts";

async function main(): Promise<void> {
  const { APP_ID, PRIVATE_KEY, PRIVATE_KEY_PATH } = process.env;
  if (APP_ID === undefined && PRIVATE_KEY === undefined && PRIVATE_KEY_PATH === undefined) {
    console.error(
      "There is no app yet (APP_ID and PRIVATE_KEY are not set): follow Probot's set-up page, then start again.",
    );
    onSignal(() => Promise.resolve());
    await run(() => {});
    return;
  }
  const options = optionsOf(process.env);
  if ("problem" in options) fail(options.problem);
  const starting = serve(options);
  onSignal(async () => {
    const ended = starting.then((serving) => serving.close()).catch(() => {});
    // A little more than closing takes at most: also what does not start must end.
    await Promise.race([ended, sleep(closeWithinMs + 5_000)]);
  });
  try {
    await starting;
  } catch (error) {
    if (error instanceof Refused) fail(error.message);
    throw error;
  }
}

function onSignal(close: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void close().then(() => process.exit(0));
    });
  }
}

function fail(problem: string): never {
  console.error(`autoresearch can't start: ${problem}.`);
  process.exit(1);
}

await main();
