/** Calls that never leave the machine: what is said of them, and that they cost nothing. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { APIConnectionError } from "@anthropic-ai/sdk";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../src/local/port.ts";
import { nothingSpent } from "../../src/domain/proposal.ts";
import { claude } from "../../src/researcher/claude/claude.ts";
import { mayHaveCost } from "../../src/researcher/claude/trouble.ts";
import { briefWith } from "../support/brief.ts";
import { testKey } from "../support/messages-server/server.ts";
import { purseOf } from "../support/purse.ts";
import { configWith } from "../support/session.ts";
import { ask, edit, later, quick } from "./claude-world.ts";

const alone = configWith({ researcher: { fallbacks: [] } });

test.each(["sk-ant-api03-abc…xyz", "sk-ant-api03\n-abc"])(
  "a key that can't be sent is a person's matter, and is not repeated: %j",
  async (key) => {
    const purse = purseOf(20);
    const { answer, server } = await ask([edit()], { key, purse });
    expect(answer).toMatchObject({
      kind: "person",
      because: expect.stringMatching(/^`ANTHROPIC_API_KEY` holds a character that no key has/) as string,
    });
    expect(JSON.stringify(answer)).not.toContain("api03");
    expect(server.bodies).toEqual([]);
    expect(purse.spent).toEqual(nothingSpent);
  },
);

/** Addresses where nobody speaks the API: what is sent there never arrives. */
const dead: Readonly<Record<string, () => Promise<string>>> = {
  "nobody listens": async () => `http://127.0.0.1:${await freePort()}`,
  "no TLS is spoken": async () => {
    const plain = createServer((_request, response) => response.end());
    return (await listening(plain)).replace("http:", "https:");
  },
  "the certificate is its own": async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "autoresearch-certificate-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "1", "-keyout", key, "-out", cert];
    await execa("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject]);
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, answer) => answer.end());
    return (await listening(server)).replace("http:", "https:");
  },
  "the address is none of the web": () => Promise.resolve("ftp://127.0.0.1"),
};

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each(Object.keys(dead))("an API that can't be reached is waited for, and costs nothing: %s", async (name) => {
  const purse = purseOf(20);
  const researcher = claude({ apiKey: testKey, baseUrl: await dead[name]!(), path: "" }, quick);
  const asked = researcher.propose(briefWith({ purse, config: alone }), new AbortController().signal);
  expect((await later(asked)).because).toBe("the Anthropic API can't be reached");
  expect(purse.spent).toEqual(nothingSpent);
});

test.each([
  ["CERT_HAS_EXPIRED", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", false],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", false],
  // A connection that was there: what was asked may have been answered.
  ["ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", true],
  ["ECONNRESET", true],
])("a connection that ends with %s may have cost: %s", (code, may) => {
  const cause = new TypeError("fetch failed", { cause: Object.assign(new Error("…"), { code }) });
  expect(mayHaveCost(new APIConnectionError({ cause }))).toBe(may);
});
