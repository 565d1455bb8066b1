// `sallyport secrets`: keys for encrypted fields, what each still encrypts, and encrypting anew with the newest.

import { randomBytes } from 'node:crypto'
import { show } from '../../policy/problem.ts'
import { tellAt, untold } from '../audit/tell.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { placeOf } from '../store-package.ts'
import { databaseOf, reached } from './check.ts'
import { loadPart } from './package.ts'

interface Column {
  readonly table: string
  readonly column: string
  readonly row: string
}

interface SecretsPackage {
  fieldKeys(environment: Terminal['environment']): { readonly newest: number }
  withFields<T>(url: string, work: (client: object) => Promise<T>): Promise<T>
  countByKey(client: object, column: Column): Promise<ReadonlyMap<number, number>>
  rotateColumn(client: object, column: Column, keys: object, onBatch: (done: number) => void): Promise<number>
}

/** Runs the command. */
export async function secretsCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action, operand] = invocation.operands
  if (action === 'key') {
    terminal.out(randomBytes(32).toString('base64url'))
    return 0
  }
  if (action !== 'count' && action !== 'rotate')
    throw new Failure(
      `secrets: expected key, count or rotate, received ${show(action)}; see "sallyport secrets --help"`,
    )
  const command = `secrets ${action}`
  const url = databaseOf(command, operand, terminal)
  const column = { table: name('table'), column: name('column'), row: invocation.text('row')! }
  const secrets = await loadPart<SecretsPackage>('secrets')
  const done = await reached(command, async () => {
    const keys = action === 'rotate' ? secrets.fieldKeys(terminal.environment) : undefined
    return secrets.withFields(url, async (client) => {
      const rotated = keys
        ? await secrets.rotateColumn(client, column, keys, (done) =>
            terminal.progress?.(`${done} encrypted anew`),
          )
        : undefined
      terminal.progress?.('')
      const counts = await secrets.countByKey(client, column)
      return { rotated, counts, newest: keys?.newest }
    })
  })
  if (done.rotated !== undefined && invocation.given('store'))
    await tellAt(placeOf(invocation, terminal), 'SP-BACKUP-01', {
      action: 'secrets.rotated',
      outcome: 'success',
      target: `${column.table}.${column.column}`,
      details: { fields: done.rotated, key: done.newest! },
    }).catch(untold('the fields were encrypted anew'))
  print(column, done.rotated, done.counts, done.newest)
  return 0

  function name(option: 'table' | 'column'): string {
    const text = invocation.text(option)
    if (text !== undefined) return text
    throw new Failure(
      `${command} needs the ${option}; write --${option} ${option === 'table' ? 'accounts' : 'totp'}`,
    )
  }

  function print(
    { table, column: field }: Column,
    rotated: number | undefined,
    counts: ReadonlyMap<number, number>,
    newest: number | undefined,
  ): void {
    if (invocation.flag('json')) {
      terminal.out(
        JSON.stringify({
          table,
          column: field,
          ...(rotated === undefined ? {} : { rotated }),
          byKey: Object.fromEntries(counts),
        }),
      )
      return
    }
    if (rotated !== undefined) terminal.out(`${table}.${field}: ${rotated} encrypted anew with key ${newest}`)
    for (const [id, count] of counts)
      terminal.out(id === 0 ? `not encrypted: ${count}` : `key ${id}: ${count}`)
    if (counts.size === 0) terminal.out(`${table}.${field}: nothing is encrypted`)
    if (newest !== undefined && [...counts.keys()].every((id) => id === newest))
      terminal.out(
        `no field of this column needs a key below ${newest} any more; keep it for backups of the application’s own as long as those are kept`,
      )
  }
}
