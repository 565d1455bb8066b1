// `sallyport tenancy check`: audits a database.

import { rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { show } from '../../policy/problem.ts'
import type { TenancyCheck } from '../../posture/page/tenancy-check.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { version } from '../version.ts'
import { type AuditReport, type AuditSettings, loadTenancy } from './package.ts'
import { auditJunit, auditSarif, auditText, type JudgedFinding, judged } from './reports.ts'

/** Runs it: 0 where nothing is wrong, 1 with findings; notes are told and don't count. */
export async function checkTenancy(invocation: Invocation, terminal: Terminal): Promise<number> {
  const url = invocation.operands[1] ?? terminal.environment['DATABASE_URL']
  if (url === undefined || url === '')
    throw new Failure(
      'tenancy check needs the database; write sallyport tenancy check postgres://ROLE@HOST/DATABASE, or set DATABASE_URL',
    )
  // It may hold a password, so it is not shown.
  if (!/^postgres(?:ql)?:\/\//.test(url))
    throw new Failure('tenancy check: expected a URL that starts with postgres://, received something else')
  const report = await audit(url, invocation)
  const findings = judged(report)
  const wrong = findings.filter(({ severity }) => severity !== 'info')
  await writeReports(invocation, terminal, report, findings, wrong.length)
  return wrong.length === 0 ? 0 : 1
}

async function audit(url: string, invocation: Invocation): Promise<AuditReport> {
  const { auditDatabase } = await loadTenancy()
  const texts = {
    tenantColumn: invocation.text('tenant-column'),
    storeColumn: invocation.text('store-column'),
    tenantSetting: invocation.text('tenant-setting'),
  }
  // It stands in the lines that mend.
  if (texts.tenantSetting !== undefined && !/^[A-Za-z_]\w*\.[A-Za-z_]\w*$/.test(texts.tenantSetting))
    throw new Failure(
      `${invocation.nameOf('tenant-setting')}: expected two names with a dot between, received ${show(texts.tenantSetting)}; write it as your policies do, such as app.tenant`,
    )
  const settings: AuditSettings = {
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)),
    schemas: invocation.list('schema'),
    appRoles: invocation.list('app-role'),
  }
  try {
    return await auditDatabase(url, settings)
  } catch (error) {
    const { name, message, code } = error as Error & { readonly code?: string }
    if (name === 'AuditImpossible') throw new Failure(`tenancy check: ${message}`, { cause: error })
    // Whatever the driver says may hold parts of the URL.
    throw new Failure(
      `tenancy check: the database could not be read (${code ?? 'not a URL of PostgreSQL'}); check the URL, and that the role may connect`,
      { cause: error },
    )
  }
}

async function writeReports(
  invocation: Invocation,
  terminal: Terminal,
  report: AuditReport,
  findings: readonly JudgedFinding[],
  wrong: number,
): Promise<void> {
  const at = new Date().toISOString()
  const record: TenancyCheck = {
    format: 'sallyport-tenancy-record/1',
    at,
    digest: report.digest,
    tables: report.tables.length,
    findings: wrong,
  }
  const formats = {
    sarif: () => JSON.stringify(auditSarif(report, findings, version()), null, 2),
    junit: () => auditJunit(report, findings, at),
    record: () => JSON.stringify(record, null, 2),
  }
  let toTerminal = false
  for (const [name, make] of Object.entries(formats)) {
    const file = invocation.text(name)
    if (file === '-') {
      terminal.out(make().trimEnd())
      toTerminal = true
    } else if (file !== undefined) await save(invocation, terminal, name, file, make())
  }
  if (invocation.flag('json')) terminal.out(JSON.stringify({ ...report, at, findings }, null, 2))
  else if (!toTerminal) terminal.out(auditText(report, findings))
}

// Whoever reads the file meets the old content or the new, never a half.
async function save(
  invocation: Invocation,
  terminal: Terminal,
  option: string,
  name: string,
  text: string,
): Promise<void> {
  const file = resolve(terminal.directory, name)
  try {
    await writeFile(`${file}.new`, `${text.trimEnd()}\n`)
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf(option)} ${name}: can't be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
      { cause: error },
    )
  }
}
