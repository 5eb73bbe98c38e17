import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';
import { ROOT, type Workspace, workspaces } from './workspace.js';

// Compares the public API of every entry of every published package with the committed etc/*.api.md.
// With --update it writes them instead.

interface Entry {
  /** File name of the report, without `.api.md`. */
  readonly report: string;
  /** Path of the declarations from the package's folder. */
  readonly types: string;
}

const update = process.argv.includes('--update');

function entries({ manifest, path }: Workspace): Entry[] {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const types = firstTypes(target);
    if (types === undefined) return [];
    const name = subpath === '.' ? base : `${base}-${subpath.slice(2).replaceAll('/', '-')}`;
    return [{ report: name, types }];
  });
}

function firstTypes(target: unknown): string | undefined {
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    const types = condition === 'types' && typeof value === 'string' ? value : firstTypes(value);
    if (types !== undefined) return types;
  }
  return undefined;
}

function configuration(workspace: Workspace, entry: Entry): ExtractorConfig {
  const projectFolder = workspace.directory;
  const quiet = { logLevel: ExtractorLogLevel.None };
  const warning = { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true };
  const configObject: IConfigFile = {
    projectFolder,
    mainEntryPointFilePath: join(projectFolder, entry.types),
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'ES2022',
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          lib: ['ES2022', 'ESNext.Disposable', 'DOM', 'DOM.AsyncIterable'],
          types: ['node'],
          strict: true,
          skipLibCheck: true,
        },
        files: [join(projectFolder, entry.types)],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: `${entry.report}.api.md`,
      reportFolder: join(projectFolder, 'etc'),
      // Not in dist, which is packed.
      reportTempFolder: join(ROOT, 'node_modules/.cache/api-reports', workspace.path),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
      extractorMessageReporting: { default: warning, 'ae-missing-release-tag': quiet },
      tsdocMessageReporting: { default: warning },
    },
  };
  return ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
  });
}

for (const workspace of workspaces().filter(({ isPublished }) => isPublished)) {
  mkdirSync(join(workspace.directory, 'etc'), { recursive: true });
  for (const entry of entries(workspace)) {
    const result = Extractor.invoke(configuration(workspace, entry), {
      localBuild: update,
      messageCallback: (message) => {
        // The banner is not about the package.
        if (message.category === 'console') message.handled = message.logLevel !== ExtractorLogLevel.Error;
      },
    });
    const ok = result.succeeded && (update || !result.apiReportChanged);
    console.log(`${ok ? 'ok  ' : 'FAIL'}  api ${workspace.path}/etc/${entry.report}.api.md`);
    if (!ok) {
      process.exitCode = 1;
      if (result.apiReportChanged) console.log('The public API changed: if that is meant, run `pnpm api:update`');
    }
  }
}
