// Policies that show or take more than the tenant's rows. Permissive policies widen each other; restrictive ones hold
// for all of them; a command without a policy is denied (PostgreSQL 15, create policy).

import { quoted } from '../../names.ts'
import type { Policy, Relation } from '../catalogue.ts'
import { type Estate, type Rule, reaches, sqlName, type TenancyFinding } from '../estate.ts'
import { type Bond, type Holding, holdingOf, settingOfBody } from '../expression.ts'
import { bare, isWord, type Token } from '../tokens.ts'
import { matchSql } from './tables.ts'

type Side = 'using' | 'check'
const STORE_SETTING = 'app.store'
// With one of these inside, a comparison that stands there need not hold.
const LOOSENING = ['or', 'not', 'case', 'join', 'union'] as const
const COMMANDS = ['r', 'a', 'w', 'd'] as const
const WORDS = { r: 'select', a: 'insert', w: 'update', d: 'delete', '*': 'all commands' } as const
// Which sides decide for a command: the rows that are found, and the rows as they are written.
const SIDES: Readonly<Record<(typeof COMMANDS)[number], readonly Side[]>> = {
  r: ['using'],
  a: ['check'],
  w: ['using', 'check'],
  d: ['using'],
}

/** Every policy of the tenant tables, and of tables that hang on them. */
export const policyRules: Rule = (estate) => {
  const functions = functionsOf(estate)
  return estate.catalogue.relations
    .filter((table) => 'rp'.includes(table.kind) && table.rowSecurity && reaches(estate, table))
    .flatMap((table) => {
      const policies = estate.catalogue.policies.filter((policy) => policy.table === table.id)
      if (!estate.isTenantTable(table.id) && !isChild(estate, table)) return []
      return bonds(estate, table, functions).flatMap((bond) => judgeTable(estate, table, policies, bond))
    })
}

function judgeTable(
  estate: Estate,
  table: Relation,
  policies: readonly Policy[],
  bond: Bond,
): readonly TenancyFinding[] {
  const mine = policies.filter((policy) => applies(estate, policy))
  const others = policies.filter((policy) => !mine.includes(policy) && policy.permissive)
  const isStore = bond.setting === STORE_SETTING
  const loose = mine
    .filter(({ permissive }) => permissive)
    .flatMap((policy) => {
      const found = COMMANDS.filter((command) => covers(policy, command)).flatMap((command) =>
        SIDES[command].flatMap((side) => {
          const expression = expressionOf(policy, side)
          if (expression === null || isRestricted(mine, estate, command, side, bond)) return []
          const holding = holdingOf(expression, bond)
          return holding.kind === 'bound' ? [] : [{ command, side, holding }]
        }),
      )
      const [first] = found.filter(({ side }) => side === 'using').concat(found)
      if (first === undefined) return []
      const commands = [...new Set(found.map(({ command }) => WORDS[command]))].join(', ')
      // Where nothing is written for the check, USING is what has to be mended.
      const sides = new Set(found.map(({ side }) => (policy.check === null ? 'using' : side)))
      return [looseFinding(estate, table, policy, bond, { ...first, sides }, commands)]
    })
  if (isStore) return loose
  return [
    ...loose,
    ...others.flatMap((policy) => otherRoles(table, policy, bond)),
    ...mine.flatMap((policy) => implicitCheck(table, policy)),
  ]
}

function looseFinding(
  estate: Estate,
  table: Relation,
  policy: Policy,
  bond: Bond,
  {
    side,
    sides,
    holding,
  }: { readonly side: Side; readonly sides: ReadonlySet<Side>; readonly holding: Holding },
  commands: string,
): TenancyFinding {
  const match = matchSql(estate, table)
  const id =
    bond.setting === STORE_SETTING
      ? 'tenancy.policy-store'
      : side === 'check' && holding.kind !== 'setting' && holding.kind !== 'column'
        ? 'tenancy.check-open'
        : `tenancy.policy-${holding.kind}`
  const parts = [
    ...(sides.has('using') ? [`using (${match})`] : []),
    ...(sides.has('check') ? [`with check (${match})`] : []),
  ]
  return {
    id,
    object: table.id,
    detail: `policy ${policy.name} (${commands}): ${says(holding, bond, side)}`,
    mend: `alter policy ${quoted(policy.name)} on ${sqlName(table)} ${parts.join(' ')};`,
  }
}

function says(holding: Holding, bond: Bond, side: Side): string {
  const rows = side === 'using' ? 'shows' : 'takes'
  switch (holding.kind) {
    case 'open':
      return `its expression is true for every row, so it ${rows} every tenant’s`
    case 'switch':
      return `it is opened by the setting ${holding.setting}, which whoever queries can make`
    case 'setting':
      return `it compares ${bond.column} with the setting ${holding.setting}, not with ${bond.setting}`
    case 'column':
      return `it compares ${holding.column} with ${bond.setting}, not ${bond.column}`
    default:
      return `its expression can be true where ${bond.column} is not ${bond.setting}`
  }
}

function otherRoles(table: Relation, policy: Policy, bond: Bond): readonly TenancyFinding[] {
  const loose = (['using', 'check'] as const).some((side) => {
    const expression = expressionOf(policy, side)
    return expression !== null && holdingOf(expression, bond).kind !== 'bound'
  })
  if (!loose) return []
  return [
    {
      id: 'tenancy.policy-other-role',
      object: table.id,
      detail: `policy ${policy.name} opens other tenants’ rows to ${policy.roles.join(', ')}`,
      mend: `drop policy ${quoted(policy.name)} on ${sqlName(table)};`,
    },
  ]
}

// PostgreSQL takes USING for the check; whoever widens what is seen then widens what is written as well.
function implicitCheck(table: Relation, policy: Policy): readonly TenancyFinding[] {
  if (policy.check !== null || policy.using === null || (policy.command !== '*' && policy.command !== 'w'))
    return []
  return [
    {
      id: 'tenancy.check-implicit',
      object: table.id,
      detail: `policy ${policy.name} has no WITH CHECK: rows are written by what USING says`,
      mend: `alter policy ${quoted(policy.name)} on ${sqlName(table)} with check (${inOneLine(policy.using)});`,
    },
  ]
}

// PostgreSQL prints a sub-select over several lines; a text in it stays as it is.
function inOneLine(expression: string): string {
  return expression.replace(/('(?:[^']|'')*')|\s*\n\s*/g, (_, text?: string) => text ?? ' ')
}

function expressionOf(policy: Policy, side: Side): string | null {
  return side === 'using' ? policy.using : (policy.check ?? policy.using)
}

function covers({ command }: Policy, wanted: (typeof COMMANDS)[number]): boolean {
  return command === '*' || command === wanted
}

function applies(estate: Estate, { roles }: Policy): boolean {
  return (
    roles.includes('public') ||
    estate.subjects.length === 0 ||
    estate.subjects.some((subject) => roles.some((role) => estate.become(subject).has(role)))
  )
}

// A restrictive policy holds only whom it is for: all of the application's roles.
function isRestricted(
  policies: readonly Policy[],
  estate: Estate,
  command: (typeof COMMANDS)[number],
  side: Side,
  bond: Bond,
): boolean {
  return policies.some((policy) => {
    if (policy.permissive || !covers(policy, command)) return false
    const everybody =
      policy.roles.includes('public') ||
      (estate.subjects.length > 0 &&
        estate.subjects.every((subject) => policy.roles.some((role) => estate.become(subject).has(role))))
    const expression = expressionOf(policy, side)
    return everybody && expression !== null && holdingOf(expression, bond).kind === 'bound'
  })
}

function bonds(estate: Estate, table: Relation, functions: ReadonlyMap<string, string>): readonly Bond[] {
  const { tenantColumn: column, tenantSetting: setting, storeColumn } = estate
  const shared = { table: table.name, functions, throughParent: throughParent(estate, table) }
  const hasStore = storeColumn !== undefined && table.columns.some(({ name }) => name === storeColumn)
  return [
    { ...shared, column, setting },
    ...(hasStore ? [{ ...shared, column: storeColumn, setting: STORE_SETTING }] : []),
  ]
}

function functionsOf({ catalogue }: Estate): ReadonlyMap<string, string> {
  return new Map(
    catalogue.routines.flatMap(({ id, body, settings }) => {
      // One with `set` clauses may answer with its own setting.
      const setting =
        body === null || settings.some((each) => each.startsWith('app.')) ? undefined : settingOfBody(body)
      return setting === undefined ? [] : [[id, setting] as const]
    }),
  )
}

function isChild(estate: Estate, table: Relation): boolean {
  return estate.catalogue.foreignKeys.some(
    (key) => key.table === table.id && estate.isTenantTable(key.target),
  )
}

/**
 * A row that is seen where its parent is: `exists (select from orders o where o.id = order_items.order_id)`. The parent's
 * own policies hold inside, so it is sound where the whole foreign key is compared.
 */
function throughParent(estate: Estate, table: Relation): (tokens: readonly Token[]) => boolean {
  if (estate.isTenantTable(table.id)) return () => false
  const keys = estate.catalogue.foreignKeys.filter(
    (key) => key.table === table.id && estate.isTenantTable(key.target),
  )
  return (tokens) => {
    if (!isWord(tokens[0], 'exists')) return false
    const inner = bare(tokens.slice(1))
    if (!isWord(inner[0], 'select') || inner.some((token) => LOOSENING.some((word) => isWord(token, word))))
      return false
    const words = inner.map(({ kind, value }) => (kind === 'text' ? "''" : value)).join(' ')
    return keys.some(({ target, columns, targetColumns }) => {
      const parent = estate.relation(target)
      if (!parent?.rowSecurity || !parent.forced) return false
      const [, alias = parent.name] =
        new RegExp(
          `\\bfrom ${escaped(parent.schema)} \\. ${escaped(parent.name)}(?: ([a-z_]\\w*))? where\\b`,
        ).exec(words) ?? []
      if (!words.includes(`from ${parent.schema} . ${parent.name} `)) return false
      return columns.every((column, index) => {
        const [child, own] = [`${table.name} . ${column}`, `${alias} . ${targetColumns[index]}`]
        return words.includes(`${own} = ${child}`) || words.includes(`${child} = ${own}`)
      })
    })
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
