/** What GitHub's headers say of a limit. https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */

/** Requests an hour, how many are left, and when all are there again. */
export type Budget = {
  /** `core` for nearly everything that the bot asks. */
  readonly resource: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
};

/** The limit that an answer's headers tell of, or null. */
export function budgetOf(headers: Readonly<Record<string, unknown>>): Budget | null {
  const numberIn = (name: string) => Number(headers[`x-ratelimit-${name}`] ?? Number.NaN);
  const [limit, remaining, reset] = [numberIn("limit"), numberIn("remaining"), numberIn("reset")];
  if (![limit, remaining, reset].every((value) => Number.isFinite(value))) return null;
  const resource = headers["x-ratelimit-resource"];
  return { resource: typeof resource === "string" ? resource : "core", limit, remaining, resetMs: reset * 1000 };
}
