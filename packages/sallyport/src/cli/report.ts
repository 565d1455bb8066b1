// `sallyport report`: what controls in report mode would have done, by route, and what to do next.

import { askAdmin } from './admin-client.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { columns } from './help.ts'
import { hasConfiguration, loadServer } from './server.ts'

const DEFAULT_ADMIN = '127.0.0.1:9901'

interface Entry {
  readonly name: string
  readonly count: number
  readonly error: number
}

interface Report {
  readonly policyDigest: string
  readonly reporting: readonly { readonly name: string; readonly routes: number }[]
  readonly since: string
  readonly requests: number
  readonly rows: readonly {
    readonly route: string
    readonly control: string
    readonly effect: 'deny' | 'redirect' | 'change'
    readonly what: string
    readonly count: number
    readonly origins: readonly Entry[]
    readonly credentials: readonly Entry[]
  }[]
}

/** Runs the command. */
export async function report(invocation: Invocation, terminal: Terminal): Promise<number> {
  const where = await adminOf(invocation, terminal)
  const found = (await askAdmin(where, '/report', terminal.directory)) as Report
  terminal.out(invocation.flag('json') ? JSON.stringify(found, null, 2) : inWords(found))
  return 0
}

// Where the gateway of this directory, or of the configuration that is named, has its admin listener.
async function adminOf(invocation: Invocation, terminal: Terminal): Promise<string> {
  const given = invocation.text('admin')
  if (given !== undefined) return given
  const named = invocation.text('config')
  if (named === undefined && !hasConfiguration(terminal.directory)) return DEFAULT_ADMIN
  const loaded = await (await loadServer()).loadConfiguration(named, terminal.directory)
  const admin = loaded?.configuration.admin
  if (loaded === undefined || admin === undefined) return DEFAULT_ADMIN
  if (admin === false)
    throw new Failure(`${loaded.name}: admin: false, so nobody can be asked; name the listener with --admin`)
  if (admin.path !== undefined) return `unix:${admin.path}`
  if (admin.port === 0)
    throw new Failure(
      `${loaded.name}: admin.port: 0 takes any free port; name the one that "sallyport serve" printed with --admin`,
    )
  return `${reachable(admin.host)}:${admin.port}`
}

// A listener on every address is asked on loopback.
function reachable(host = '127.0.0.1'): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

const EFFECTS = { deny: 'deny', redirect: 'redirect', change: 'change' } as const

function inWords({ policyDigest, reporting, since, requests, rows }: Report): string {
  const head = [`policy ${policyDigest}`, `since ${since}, ${requests} requests`]
  if (reporting.length === 0)
    return [
      ...head,
      '',
      'No control is in report mode: all of them act. To try one first, write for example',
      '  cors: { mode: "report" }',
      'in the policy, or in one of its routes, and reload.',
    ].join('\n')
  const modes = reporting.map(({ name, routes }) => `${name} (${routes} ${routes === 1 ? 'cell' : 'cells'})`)
  return [
    ...head,
    `in report mode: ${modes.join(', ')}`,
    '',
    ...(rows.length === 0
      ? ['Nothing would have been denied or changed.']
      : columns([
          ['ROUTE', 'CONTROL', 'WOULD', 'WHAT', 'TIMES', 'ORIGINS', 'CREDENTIALS'],
          ...rows.map((row) => [
            printable(row.route),
            row.control,
            EFFECTS[row.effect] ?? '?',
            printable(row.what),
            String(row.count),
            most(row.origins),
            most(row.credentials),
          ]),
        ])),
    '',
    ...advice(reporting, rows, requests),
  ].join('\n')
}

const SHOWN = 3

function most(entries: readonly Entry[]): string {
  const named = entries.slice(0, SHOWN).map(({ name, count }) => `${printable(name)} ${count}`)
  const rest = entries.length - SHOWN
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ')
}

// Origins are what callers sent: a terminal must not take them for its own commands.
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}

function advice(reporting: Report['reporting'], rows: Report['rows'], requests: number): readonly string[] {
  const names = reporting.map(({ name }) => name).join(', ')
  if (rows.some(({ effect }) => effect === 'deny' || effect === 'redirect'))
    return [
      'Next: for each line, either the caller is right (give the route what it needs in the policy: the origin, the',
      `limit, the method) or it is not (tell it, or let it be refused). When nothing is left, set ${names} to mode: "enforce" and reload.`,
    ]
  if (rows.length > 0)
    return [
      'Next: no request would be refused. If the changed headers and bodies are as meant, set',
      `${names} to mode: "enforce" and reload.`,
    ]
  return requests === 0
    ? ['Next: wait for requests; there were none.']
    : [`Next: when these requests are all kinds that you have, set ${names} to mode: "enforce" and reload.`]
}
