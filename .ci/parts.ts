// The real programs that some suites need. Where one is missing it is installed if CI is set and it may be, else the
// suite is reported as skipped, by name, with the line that installs the part.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** One program or folder that a suite needs. */
export interface Part {
  readonly name: string
  /** The suites that need it. */
  readonly suites: string
  present(): boolean
  /** The command that brings it, for people and for CI. */
  readonly install: readonly string[]
}

function hasCommand(name: string): boolean {
  return (
    spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0 ||
    existsSync(`/usr/sbin/${name}`)
  )
}

function debian(name: string, command: string, suites: string): Part {
  return {
    name,
    suites,
    present: () => hasCommand(command),
    install: ['apt-get', 'install', '-y', '--no-install-recommends', name],
  }
}

function folder(name: string, path: string, suites: string): Part {
  return {
    name,
    suites,
    present: () => existsSync(`${root}${path}/node_modules/.package-lock.json`),
    install: ['npm', 'ci', '--prefix', path],
  }
}

/** Every part, in the order in which they are brought. */
export const parts: readonly Part[] = [
  debian('curl', 'curl', 'the command, the gateway, examples (real client)'),
  debian('gpg', 'gpg', 'a signed security.txt (D20)'),
  debian('openssl', 'openssl', 'local certificates'),
  debian('nginx-light', 'nginx', 'a caching nginx in front (D6–D8)'),
  debian('chromium', 'chromium', 'the back button and cross-origin reads in a browser (D6, D12)'),
  debian('caddy', 'caddy', 'exports'),
  debian('haproxy', 'haproxy', 'exports, the PROXY protocol'),
  debian('apache2-bin', 'apache2', 'exports'),
  debian('poppler-utils', 'pdftotext', 'the posture page on paper'),
  debian('postgresql-15', '/usr/lib/postgresql/15/bin/postgres', 'the records on a PostgreSQL server'),
  debian('pgbouncer', 'pgbouncer', 'the records behind a pooler'),
  debian('pgbouncer', 'pgbouncer', 'tenants behind PgBouncer'),
  debian('wrk', 'wrk', 'benchmarks'),
  debian('redis-server', 'redis-server', 'counters in Valkey or Redis'),
  folder('Next.js example', 'examples/calmony-pay', 'next start (C1–C6, C8)'),
  folder('Peers of the gateway', 'bench/gateway', 'the gateway beside the usual stacks (benchmark)'),
  folder('Peers of the limits', 'bench/limits', 'counting beside other limiters (benchmark)'),
  folder('Bun, Deno, workerd', 'packages/sallyport/test/runtimes', 'sallyport/fetch on other runtimes'),
  folder('Published schemas', 'packages/sallyport/test/schemas', 'attestations by the published schemas'),
]

/** What only `npm run test:long` needs. */
export const longParts: readonly Part[] = [
  debian('slowhttptest', 'slowhttptest', 'slow clients'),
  debian('testssl.sh', 'testssl', 'findings on TLS'),
  debian('golang-go', 'go', 'the audit log as Go reads it (H19)'),
  {
    name: 'golang-golang-x-mod-dev',
    suites: 'the audit log as Go reads it (H19)',
    present: () => existsSync('/usr/share/gocode/src/golang.org/x/mod/sumdb'),
    install: ['apt-get', 'install', '-y', '--no-install-recommends', 'golang-golang-x-mod-dev'],
  },
]

/** Brings what is missing where that is allowed; returns what is still missing. */
export function ensureParts(wanted: readonly Part[] = parts): readonly Part[] {
  const missing = wanted.filter((part) => !part.present())
  if (missing.length === 0 || !process.env.CI) return missing
  if (missing.some((part) => part.install[0] === 'apt-get')) run(['apt-get', 'update'])
  for (const part of missing) run(part.install)
  return missing.filter((part) => !part.present())
}

function run([command, ...args]: readonly string[]): void {
  try {
    execFileSync(command!, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  } catch {
    // The part stays missing; its suites are reported as skipped.
  }
}
