/**
 * `npm run doctor -- --repo owner/name`: looks at the app and a repository as a session would, and says what is missing.
 * It reads only. Exit status: 0 when nothing failed, 1 when something did, 2 for a wrong command line.
 */
import { parseArgs } from "node:util";
import { pino } from "pino";
import { Probot } from "probot";
import { authenticatorOf } from "./app.ts";
import { type Finding, type Severity, isHealthy } from "./domain/finding.ts";
import { environmentFinding, findingsOf } from "./domain/findings.ts";
import { messageOf } from "./domain/thrown.ts";
import { optionsOf } from "./environment.ts";
import { examine } from "./github/examine.ts";
import { probotOptions } from "./serve.ts";

const usage = `npm run doctor -- --repo OWNER/NAME [--json]

Says what a session in the repository would lack. Reads the same environment as \`npm start\`, and writes nothing.`;

const symbols: Readonly<Record<Severity, string>> = { ok: "✓", warn: "!", fail: "✗", unknown: "?" };

type Order = { readonly owner: string; readonly repo: string; readonly json: boolean };

function orderOf(args: readonly string[]): Order | { problem: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { repo: { type: "string" }, json: { type: "boolean", default: false } },
    });
    const named = /^([\w.-]+)\/([\w.-]+)$/.exec(values.repo ?? "");
    if (named === null) return { problem: "--repo must be OWNER/NAME." };
    return { owner: named[1]!, repo: named[2]!, json: values.json };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function findingsFor(order: Order): Promise<Finding[]> {
  const options = optionsOf(process.env);
  if ("problem" in options) return [environmentFinding(options.problem)];
  const probot = new Probot(probotOptions(options, pino({ level: "silent" })));
  return findingsOf(await examine(authenticatorOf(probot), { owner: order.owner, repo: order.repo }));
}

/** A table: symbol, name, what is the case; why and the remedy below it. */
function tableOf(name: string, findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.id.length));
  const below = " ".repeat(width + 4);
  const lines = findings.flatMap(({ id, severity, what, why, remedy }) => [
    `${symbols[severity]} ${id.padEnd(width)}  ${what}`,
    ...(why === null ? [] : [`${below}why: ${why}`]),
    ...(remedy === null ? [] : [`${below}do:  ${remedy}`]),
  ]);
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const totals = `${count("fail")} failed, ${count("warn")} to look at, ${count("unknown")} unknown, ${count("ok")} good`;
  return [`autoresearch doctor · ${name}`, "", ...lines, "", totals].join("\n");
}

const order = orderOf(process.argv.slice(2));
if ("problem" in order) {
  console.error(`${order.problem}\n\n${usage}`);
  process.exit(2);
}
const findings = await findingsFor(order);
const name = `${order.owner}/${order.repo}`;
const healthy = isHealthy(findings);
console.log(order.json ? JSON.stringify({ repository: name, healthy, findings }, null, 2) : tableOf(name, findings));
process.exitCode = healthy ? 0 : 1;
