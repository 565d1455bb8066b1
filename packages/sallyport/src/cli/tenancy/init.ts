// `sallyport tenancy init`: writes the migration.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { loadTenancy } from './package.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/

/** Runs it; ends with 0. */
export async function initTenancy(invocation: Invocation, terminal: Terminal): Promise<number> {
  if (invocation.operands.length > 1)
    throw new Failure(
      `tenancy init asks no database, received ${show(invocation.operands[1])}; run what it writes as the owner of the tables`,
    )
  const { tenancyMigration, TENANT_TYPES } = await loadTenancy()
  const type = invocation.text('tenant-type')!
  if (!TENANT_TYPES.includes(type))
    throw new Failure(
      `${invocation.nameOf('tenant-type')}: expected ${TENANT_TYPES.join(', ')}, received ${show(type)}; write the type of the tenant column`,
    )
  const storeColumn = nameOf(invocation, 'store-column')
  const [appRole = 'app', ...more] = invocation.list('app-role')
  if (more.length > 0)
    throw new Failure(
      `${invocation.nameOf('app-role')}: init takes one, received ${show(more[0])}; name the one that queries`,
    )
  const { sql, todo } = tenancyMigration({
    tables: tablesOf(invocation),
    tenantColumn: required(invocation, 'tenant-column', 'organisation_id'),
    tenantType: type,
    ...(storeColumn === undefined ? {} : { storeColumn }),
    keyColumn: required(invocation, 'key-column', 'id'),
    appRole: checked(invocation, 'app-role', appRole),
  })
  const steps = ['What is left to you:', ...todo.map((text, index) => `  ${index + 1}. ${text}`)].join('\n')
  const out = invocation.text('out')
  if (out === undefined) {
    terminal.out(sql.trimEnd())
    terminal.err(steps)
    return 0
  }
  try {
    await writeFile(resolve(terminal.directory, out), sql, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(
      code === 'EEXIST'
        ? `${invocation.nameOf('out')} ${out}: is there already, and is not written over; name another file`
        : `${invocation.nameOf('out')} ${out}: can't be written (${code}); name a file in a folder that is there`,
      { cause: error },
    )
  }
  terminal.out(`wrote ${out}\n\n${steps}`)
  return 0
}

function tablesOf(invocation: Invocation): readonly string[] {
  const given = invocation.text('tables')
  if (given === undefined)
    throw new Failure('tenancy init needs your tables; write --tables orders,customers')
  const tables = given.split(',').map((name) => name.trim())
  for (const table of tables) {
    const parts = table.split('.')
    if (parts.length > 2 || !parts.every((part) => NAME.test(part)))
      throw new Failure(
        `${invocation.nameOf('tables')}: expected names of tables with commas between, received ${show(table)}; write orders or shop.orders`,
      )
  }
  return [...new Set(tables)]
}

function required(invocation: Invocation, option: string, example: string): string {
  const given = nameOf(invocation, option)
  if (given === undefined) throw new Failure(`tenancy init needs the column; write --${option} ${example}`)
  return given
}

function nameOf(invocation: Invocation, option: string): string | undefined {
  const given = invocation.text(option)
  return given === undefined ? undefined : checked(invocation, option, given)
}

// Names go into SQL: quoted there, and no odd ones here.
function checked(invocation: Invocation, option: string, name: string): string {
  if (!NAME.test(name))
    throw new Failure(
      `${invocation.nameOf(option)}: expected a name of letters, digits and _, received ${show(name)}; write it as it stands in the database`,
    )
  return name
}
