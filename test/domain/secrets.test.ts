/** Redaction is given what a candidate printed: no text of it may take long, and none may make it throw. */
import { describe, expect, it } from "vitest";
import { redact } from "../../src/domain/secrets.ts";

/** The fastest of a few goes: what another process took of the machine's time is in the others. */
function fastestMs(work: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe("redacting a text that was written to take long", () => {
  it.each([
    "eyJaaaaaaaa-",
    "a-eyJaaaaaaaa-",
    "eyJaaaaaaaa.",
    `eyJ${"a".repeat(32_000)} `,
    "-----END A-----",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY",
    `-----END ${"A".repeat(60)}`,
    "ghp_",
    "ghp_aaaaaaaaaaaaaaa ",
    "github_pat_",
    "sk-",
    "xoxb-",
    "AIza",
  ])("%.40s, over and over, takes no more than its length makes it", (part) => {
    const text = (length: number) => part.repeat(length / part.length);
    const [short, long] = [text(100_000), text(1_600_000)];
    const shortMs = fastestMs(() => redact(short, []));
    const longMs = fastestMs(() => redact(long, []));
    // Sixteen times the length: what is quadratic takes 256 times as long. The rest is what collecting garbage may take.
    expect(longMs / (shortMs + 1)).toBeLessThan(100);
  });

  it.each(["ghp_", "github_pat_", "sk-ant-", "sk-", "xoxb-", "hf_", "AIza", "eyJ", "eyJaaaaaaaaa.aaaa."])(
    "one that begins as a secret does (%s) and goes on for the whole log makes nothing throw",
    (start) => {
      expect(redact(`${start}${"a".repeat(16 * 1024 ** 2)}`, []).length).toBeGreaterThan(0);
    },
  );
});

describe("a web token", () => {
  const token = `eyJ${"hbGciOiJSUzI1NiJ9".repeat(40)}.${"c3ViIjoi".repeat(900)}.${"s_-9".repeat(80)}`;
  it.each(["", "Bearer ", "token=", "a.", "session-", "a-b-"])("is hidden after %j", (before) => {
    expect(redact(`${before}${token} after`, [])).toBe(`${before}*** after`);
  });

  it("is hidden after another that is none", () => {
    expect(redact(`eyJust-eyJ0aGVyZXM.x ${token}`, [])).toBe("eyJust-eyJ0aGVyZXM.x ***");
  });
});
