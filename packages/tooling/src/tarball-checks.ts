/**
 * The programs that check a packed package, each with its arguments: whether the manifest fits the files, and whether
 * the types are found however an importer resolves them.
 */
export function tarballChecks(tarball: string): ReadonlyArray<readonly [program: string, args: readonly string[]]> {
  return [
    ['publint', ['run', tarball, '--strict']],
    ['attw', [tarball, '--profile', 'esm-only', '--format', 'ascii']],
  ];
}
