import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Account } from './account.js';

/**
 * Runs `initdb` where there is no database yet, then the server, and stops it when its standard input ends, which
 * happens however the process that holds the other end dies.
 *
 * INVARIANT: whoever is killed, the server ends. This process with its starter: the input ends. The starter alone: the
 * same. This shell alone: the reader goes on, and signals the server itself.
 *
 * Detached, so that neither Ctrl-C nor a `kill -9` of the starter's group reaches it. All work is done in the
 * background and waited for, since a shell runs its traps only between commands and during `wait`.
 */
const SCRIPT: string = `
data=$1 initdb=$2 postgres=$3 remove=$4 signal=$5 password=$6
shift 6
exec 3<&0 </dev/null
child= stopped=
stop() {
  stopped=1
  # A shell starts what is in the background deaf to INT and QUIT; initdb may be no further than that.
  [ -n "$child" ] && kill -s TERM "$child" 2>/dev/null && kill -s "$signal" "$child" 2>/dev/null
}
trap stop INT HUP TERM
{
  trap '' INT HUP TERM
  cat <&3
  kill -s TERM $$
  # That succeeds also where this shell is dead and nobody has waited for it.
  read -r pid <"$data/postmaster.pid" && kill -s "$signal" "$pid"
} >/dev/null 2>&1 &
reader=$!
exec 3<&-
run() {
  [ -n "$stopped" ] && return 1
  "$@" &
  child=$!
  [ -n "$stopped" ] && stop
  wait "$child"; status=$?
  while kill -s 0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
  child=
  return $status
}
if [ ! -s "$data/PG_VERSION" ]; then
  run "$initdb" -D "$data" -U postgres -A trust --auth-host=scram-sha-256 --pwfile="$password" -E UTF8 --locale=C -N
fi &&
run "$postgres" -D "$data" "$@"
result=$?
kill -s KILL $reader 2>/dev/null
if [ -n "$remove" ]; then
  # A program that was stopped may still write for a moment.
  for try in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$remove" && break; sleep 0.1; done
fi
exit $result
`;

/** What the guard starts. */
export interface GuardedServer {
  readonly data: string;
  readonly binDirectory: string;
  /** A folder to remove in the end. */
  readonly remove: string;
  /** How the server is told to stop. */
  readonly signal: 'INT' | 'QUIT';
  readonly passwordFile: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly account: Account | undefined;
  /** A file descriptor that takes what the programs print. */
  readonly log: number;
}

/** Starts the guard; nothing of it keeps this process alive. */
export function startGuard(server: GuardedServer): ChildProcess {
  const { data, binDirectory, remove, signal, passwordFile, args, env, account, log } = server;
  const programs = [`${binDirectory}/initdb`, `${binDirectory}/postgres`];
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'guard', data, ...programs, remove, signal, passwordFile, ...args], {
    stdio: ['pipe', log, log],
    detached: true,
    // A folder that every account may read.
    cwd: '/',
    env,
    ...account,
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  // The guard may end first.
  guard.stdin?.on('error', () => {});
  return guard;
}
