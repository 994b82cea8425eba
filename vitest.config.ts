import { defineConfig } from "vitest/config";

const project = (name: string, testTimeout: number, isolate = true) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, isolate },
});

export default defineConfig({
  test: {
    // Most of an end-to-end test is waiting: for trainings, for webhooks, for GitHub to have seen it.
    maxWorkers: 3,
    globalSetup: "test/support/machine.ts",
    projects: [
      // Pure: nothing of one file can be seen in another, and the modules are read once.
      project("domain", 20_000, false),
      project("github", 20_000),
      project("researcher", 20_000, false),
      project("action", 60_000, false),
      project("local", 60_000, false),
      project("e2e", 120_000, false),
    ],
  },
});
