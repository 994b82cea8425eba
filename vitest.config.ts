import { defineConfig } from "vitest/config";

const project = (name: string, testTimeout: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    projects: [
      project("domain", 20_000),
      project("github", 20_000),
      project("researcher", 20_000),
      project("action", 60_000),
      project("local", 60_000),
      project("e2e", 120_000),
    ],
  },
});
