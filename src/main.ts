/**
 * The process: reads the environment, serves, and ends when it is told to. Only it and the doctor have process.env.
 *
 * Without APP_ID and PRIVATE_KEY there is no app yet: Probot's set-up page then makes one from app.yml and writes `.env`.
 */
import { run } from "probot";
import { optionsOf } from "./environment.ts";
import { serve } from "./serve.ts";

async function main(): Promise<void> {
  const { APP_ID, PRIVATE_KEY, PRIVATE_KEY_PATH } = process.env;
  if (APP_ID === undefined && PRIVATE_KEY === undefined && PRIVATE_KEY_PATH === undefined) {
    console.error(
      "There is no app yet (APP_ID and PRIVATE_KEY are not set): follow Probot's set-up page, then start again.",
    );
    await run(() => {});
    return;
  }
  const options = optionsOf(process.env);
  if ("problem" in options) {
    console.error(`autoresearch can't start: ${options.problem}.`);
    process.exit(1);
  }
  const running = await serve(options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void running.close().then(() => process.exit(0));
    });
  }
}

await main();
