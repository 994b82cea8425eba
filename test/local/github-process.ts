/** A local GitHub in a process of its own, for tests that kill it. Prints one line of JSON when it listens. */
import { startLocalGitHub } from "../../src/local/github/server.ts";

const [dir = "", port = "0"] = process.argv.slice(2);
const github = await startLocalGitHub({ dir, port: Number(port) });
if (!github.world.hasRepo("octo/lab")) {
  await github.world.createRepo({ owner: "octo", name: "lab", files: { "train.py": "LR = 0.1\n" } });
  github.world.setPermission("octo/lab", "ada", "admin");
}
const { directory } = github.world.repo("octo/lab");
const deliveries = github.webhooks.deliveries().map(({ event, status }) => ({ event, status }));
const ready = { url: github.url, token: github.world.personalToken("ada"), directory, deliveries };
process.stdout.write(`${JSON.stringify(ready)}\n`);
