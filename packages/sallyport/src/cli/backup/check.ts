// `sallyport backup check`: whether a PostgreSQL server could be brought back to any moment.

import { resolve } from 'node:path'
import { show } from '../../policy/problem.ts'
import { findingKind, SEVERITIES } from '../../posture/findings.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { type BackupPackage, loadPart, type ServerFinding } from './package.ts'

/** Runs it: 0 where nothing is wrong, 1 with findings; notes are told and don't count. */
export async function checkServer(invocation: Invocation, terminal: Terminal): Promise<number> {
  const url = databaseOf('backup check', invocation.operands[1], terminal)
  const baseBackup = invocation.text('base-backup')
  const archive = invocation.text('archive')
  const maxBaseSeconds = 86_400 * daysOf(invocation)
  const path = (name: string) => resolve(terminal.directory, name)
  const { checkServer: look } = await loadPart<BackupPackage>('backup')
  const found = await reached('backup check', () =>
    look(url, {
      ...(baseBackup === undefined ? {} : { baseBackup: path(baseBackup) }),
      ...(archive === undefined ? {} : { archive: path(archive) }),
      maxBaseSeconds,
      now: Date.now,
    }),
  )
  const findings = found
    .map((each) => ({ ...each, severity: findingKind(each.id).severity }))
    .sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
  const wrong = findings.filter(({ severity }) => severity !== 'info').length
  if (invocation.flag('json')) terminal.out(JSON.stringify({ ok: wrong === 0, findings }, undefined, 2))
  else {
    for (const each of findings) terminal.out(words(each))
    terminal.out(
      wrong === 0
        ? 'Nothing was found that would keep this server from being brought back.'
        : `${wrong} ${wrong === 1 ? 'finding' : 'findings'}`,
    )
  }
  return wrong === 0 ? 0 : 1
}

function words({ id, severity, detail, mend }: ServerFinding & { readonly severity: string }): string {
  // What a server says of itself is somebody else's text.
  const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')
  return `${severity.toUpperCase()}  ${id}\n  ${plain(detail)}\n  mend: ${plain(mend)}\n`
}

function daysOf(invocation: Invocation): number {
  const text = invocation.text('max-age')!
  const days = /^([1-9]\d{0,3})d$/.exec(text)?.[1]
  if (days !== undefined) return Number(days)
  throw new Failure(`${invocation.nameOf('max-age')}: expected days such as 8d, received ${show(text)}`)
}

/** The URL of a database: the operand, or DATABASE_URL, so that a password need not stand on the command line. */
export function databaseOf(command: string, operand: string | undefined, terminal: Terminal): string {
  const url = operand ?? terminal.environment['DATABASE_URL']
  if (url === undefined || url === '')
    throw new Failure(
      `${command} needs the database; write sallyport ${command} postgres://ROLE@HOST/DATABASE, or set DATABASE_URL`,
    )
  // It may hold a password, so it is not shown.
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new Failure(`${command}: expected a URL that starts with postgres://, received something else`)
  return url
}

/** What the driver says may hold parts of the URL: only its code is told. */
export async function reached<T>(command: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: string }
    if (name === 'FieldFault') throw new Failure(`${command}: ${message}`, { cause: error })
    throw new Failure(
      `${command}: the database could not be asked (${code ?? 'not a URL of PostgreSQL'}); check the URL, and that the role may connect`,
      { cause: error },
    )
  }
}
