/** `npm run local`: a session on a repository of the user's, on this machine. */
import { parseOptions } from "./options.ts";
import { runLocal } from "./run.ts";

const options = parseOptions(process.argv.slice(2));
if ("problem" in options) {
  console.error(options.problem);
  process.exit(2);
}
process.exitCode = await runLocal(options, "autoresearch");
