import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions, type UserConfig } from 'vite';
import type { ViteUserConfig } from 'vitest/config';
import { ClosingLine, docExamples, findChromium, workspaces } from './packages/tooling/src/index.js';

const SOURCE = '@millrace/source';

const published = workspaces().filter(({ isPublished }) => isPublished);
const programs = workspaces().filter(({ path }) => path.startsWith('apps/'));
const testsOf = (folders: readonly { readonly path: string }[]): string[] =>
  folders.flatMap(({ path }) => [`${path}/src/**/*.test.ts`, `${path}/test/**/*.test.ts`]);

/** As Node has them: `module` leads to files that only bundlers can load. */
const serverConditions = defaultServerConditions.filter((condition) => condition !== 'module');

/** With the sources: no build is needed. */
const onSources = {
  resolve: { conditions: [SOURCE, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [SOURCE, ...serverConditions] } },
} satisfies UserConfig;

/** A hung test is ended some time, and a busy machine is never the reason: no test measures time. */
const PATIENCE = { testTimeout: 60_000, hookTimeout: 60_000 };

export default async function config(): Promise<ViteUserConfig> {
  const { executablePath, args, env } = await findChromium();
  return {
    test: {
      reporters: ['default', new ClosingLine()],
      globalSetup: './packages/tooling/src/temporary-folder.ts',
      projects: [
        {
          ...onSources,
          test: {
            ...PATIENCE,
            name: 'sources',
            include: testsOf(workspaces()),
            exclude: ['**/*.built.test.ts', '**/*.built.node.test.ts'],
          },
        },
        {
          ...onSources,
          test: {
            ...PATIENCE,
            name: 'types',
            include: [],
            typecheck: {
              enabled: true,
              only: true,
              include: published.flatMap(({ path }) => [`${path}/src/**/*.test-d.ts`, `${path}/test/**/*.test-d.ts`]),
              tsconfig: './tsconfig.type-tests.json',
            },
          },
        },
        {
          ssr: { resolve: { conditions: serverConditions } },
          test: {
            ...PATIENCE,
            name: 'built',
            include: [...testsOf(published), ...programs.map(({ path }) => `${path}/src/**/*.built.node.test.ts`)],
            exclude: ['**/*.internal.test.ts'],
            server: { deps: { external: [/\/dist\//] } },
          },
        },
        {
          test: {
            ...PATIENCE,
            name: 'browser',
            include: testsOf(published.filter(({ isNeutral }) => isNeutral)),
            exclude: ['**/*.internal.test.ts', '**/*.node.test.ts'],
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              api: { host: '127.0.0.1' },
              provider: playwright({
                launchOptions: { args, ...(executablePath && { executablePath }), ...(env && { env }) },
              }),
              instances: [{ browser: 'chromium' }],
            },
          },
        },
        {
          ...onSources,
          plugins: [docExamples()],
          test: {
            ...PATIENCE,
            name: 'docs',
            // Some start a database, on a machine that may be busy.
            testTimeout: 60_000,
            include: [
              '.doc-examples/**/*.test.ts',
              ...published.map(({ path }) => `${path}/.doc-examples/**/*.test.ts`),
            ],
          },
        },
      ],
    },
  };
}
