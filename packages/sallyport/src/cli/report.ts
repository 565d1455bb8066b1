// `sallyport report`: what controls in report mode would have done, by route, and what to do next.

import { askAdmin } from './admin-client.ts'
import type { Invocation, Terminal } from './command.ts'
import { columns } from './help.ts'

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
  const found = (await askAdmin(invocation.text('admin')!, '/report', terminal.directory)) as Report
  terminal.out(invocation.flag('json') ? JSON.stringify(found, null, 2) : inWords(found))
  return 0
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
