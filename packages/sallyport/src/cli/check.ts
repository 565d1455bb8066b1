// `sallyport check`: the mistakes of a policy, or its digest, its cells and its warnings.

import { relative } from 'node:path'
import { type CacheSetting, cacheWords } from '../controls/cache/setting.ts'
import { createGuard } from '../guard/guard.ts'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { digest } from '../policy/digest.ts'
import { loadPolicy, PolicyFileError } from '../policy/load.ts'
import { PolicyError, sentence } from '../policy/problem.ts'
// A guard of a policy that publishes its page needs the means to make it.
import '../posture/page/index.ts'
import type { Invocation, Terminal } from './command.ts'
import { columns } from './help.ts'
import { namedPolicy } from './named-policy.ts'
import { hasConfiguration, type LoadedConfiguration, loadServer } from './server.ts'
import { openAdmin, policyNotes, policyWarnings } from './warnings.ts'

/** Runs the command. */
export async function check(invocation: Invocation, terminal: Terminal): Promise<number> {
  const asJson = invocation.flag('json')
  let name = namedPolicy(invocation)
  try {
    const { policy, file } = await loadPolicy(name, terminal.directory)
    name = relative(terminal.directory, file) || file
    const resolved = resolvePolicy(policy)
    const gateway = await checkGateway(invocation, terminal)
    const report = {
      file: name,
      ok: true,
      ...(gateway === undefined ? {} : { configuration: gateway.name }),
      digest: await digest(resolved.document),
      cells: cellRows(resolved),
      warnings: [...policyWarnings(resolved, Date.now()), ...adminWarnings(gateway)],
      notes: policyNotes(resolved),
    }
    terminal.out(asJson ? JSON.stringify(report, null, 2) : inWords(report))
    return 0
  } catch (error) {
    if (error instanceof PolicyError) {
      if (asJson) terminal.out(JSON.stringify({ file: name, ok: false, problems: error.problems }, null, 2))
      else for (const problem of error.problems) terminal.err(`${name}: ${sentence(problem)}`)
      return 2
    }
    if (error instanceof PolicyFileError && asJson) {
      terminal.out(JSON.stringify({ file: error.file, ok: false, error: error.message }, null, 2))
      return 2
    }
    throw error
  }
}

// The gateway configuration that would go with it, where there is one.
async function checkGateway(
  invocation: Invocation,
  terminal: Terminal,
): Promise<LoadedConfiguration | undefined> {
  const named = invocation.text('config')
  if (named === undefined && namedPolicy(invocation) !== undefined) return undefined
  if (named === undefined && !hasConfiguration(terminal.directory)) return undefined
  const { loadConfiguration, checkPlaces } = await loadServer()
  const loaded = await loadConfiguration(named, terminal.directory)
  if (loaded) checkPlaces(loaded)
  return loaded
}

function adminWarnings(loaded: LoadedConfiguration | undefined): readonly string[] {
  const admin = loaded?.configuration.admin
  return admin !== undefined && admin !== false && admin.allowNonLoopback === true ? [openAdmin()] : []
}

interface CellRow {
  readonly cell: string
  readonly data: string
  readonly credentials: string
  readonly cacheControl: string
  /** What every answer of the cell carries, whatever the request. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

function cellRows(resolved: ResolvedPolicy): readonly CellRow[] {
  const { cells } = createGuard(resolved, 'gateway', { trial: {} })
  return resolved.cells.map((cell, index) => ({
    cell: cell.id,
    data: cell.data,
    credentials: cell.credentials,
    cacheControl: cacheWords(cell, cell.settings.cache as CacheSetting),
    headers: cells[index]!.compiled.fixed.pairs,
  }))
}

const MEANING: Readonly<Record<string, string>> = {
  '*': 'every other path',
  '!': 'paths that are not canonical, requests that could not be read',
}

function inWords(report: {
  readonly file: string
  readonly configuration?: string
  readonly digest: string
  readonly cells: readonly CellRow[]
  readonly warnings: readonly string[]
  readonly notes: readonly string[]
}): string {
  const rows = report.cells.map((row) => [
    row.cell,
    row.data,
    row.credentials,
    row.cacheControl,
    MEANING[row.cell] ?? '',
  ])
  const remarks = [
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...report.notes.map((note) => `note: ${note}`),
  ]
  return [
    `${report.file} is sound`,
    ...(report.configuration === undefined ? [] : [`${report.configuration} is sound`]),
    `digest ${report.digest}`,
    '',
    ...columns([['ROUTE', 'DATA', 'CREDENTIALS', 'CACHE-CONTROL', ''], ...rows]),
    ...(remarks.length === 0 ? [] : ['', ...remarks]),
  ].join('\n')
}
