import { expect, test } from "vitest";
import { heardEvents } from "../../src/app.ts";
import { shippedManifest } from "../../src/github/shipped.ts";

test("the app asks to be told of what it hears, but for that of which every app is told", () => {
  const always = new Set(["installation", "installation_repositories"]);
  expect(heardEvents.difference(always)).toEqual(new Set(shippedManifest().events));
  expect(heardEvents.isSupersetOf(always)).toBe(true);
});
