// Views, functions and triggers that look at the tenants' rows with somebody else's rights.

import { quoted } from '../../names.ts'
import type { Relation, Routine } from '../catalogue.ts'
import { type Estate, type Rule, reaches, sqlName, type TenancyFinding } from '../estate.ts'
import { whom } from './tables.ts'

/** Views by their owner's rights, and what is kept of rows outside of their table. */
export const viewRules: Rule = (estate) =>
  estate.catalogue.relations.flatMap((view): readonly TenancyFinding[] => {
    if (view.kind !== 'v' && view.kind !== 'm') return []
    const read = tenantTablesOf(estate, view)
    if (read.length === 0 || !estate.holds(view.grants, view.owner, 'SELECT', 'INSERT', 'UPDATE', 'DELETE'))
      return []
    if (view.kind === 'm')
      return [
        {
          id: 'tenancy.materialised-view',
          object: view.id,
          detail: `it keeps rows of ${read.join(', ')}, and no policy can hold for it`,
          mend: `revoke all on ${sqlName(view)} from ${whom(estate)}, public;`,
        },
      ]
    if (view.securityInvoker) return []
    const exempt = estate.isExempt(view.owner, read)
    return [
      {
        id: 'tenancy.view-definer',
        ...(exempt ? {} : { severity: 'low' }),
        object: view.id,
        detail: exempt
          ? `it shows rows of ${read.join(', ')} by the rights of ${view.owner}, whom the policies do not bind`
          : `it shows rows of ${read.join(', ')} by the rights of ${view.owner}: by the policies for that role, not for the caller`,
        mend: `alter view ${sqlName(view)} set (security_invoker = true);`,
      },
    ]
  })

function tenantTablesOf(estate: Estate, view: Relation): readonly string[] {
  const seen = new Set(view.reads)
  for (const id of seen) for (const next of estate.relation(id)?.reads ?? []) seen.add(next)
  return [...seen].filter(estate.isTenantTable).sort()
}

/** Functions that the application may call. */
export const functionRules: Rule = (estate) =>
  estate.catalogue.routines.flatMap((routine): readonly TenancyFinding[] => {
    const callable = estate.subjects.length === 0 || estate.includesApplication(routine.executors)
    if (routine.isTrigger || !callable) return []
    const { signature } = routine
    const named = routine.settings.find((each) => each.startsWith(`${estate.tenantSetting}=`))
    return [
      ...definer(estate, routine),
      ...(named === undefined
        ? []
        : [
            {
              id: 'tenancy.function-tenant',
              object: signature,
              detail: `it sets ${estate.tenantSetting} itself: whoever calls it acts as that tenant`,
              mend: `alter function ${signature} reset ${estate.tenantSetting};`,
            },
          ]),
      ...(routine.configures.includes(estate.tenantSetting)
        ? [
            {
              id: 'tenancy.function-tenant',
              // A caller that runs SQL of its own can do the same.
              severity: 'low' as const,
              object: signature,
              detail: `its body sets ${estate.tenantSetting}: after a call the transaction is whose it says`,
              mend: `revoke execute on function ${signature} from ${whom(estate)}, public;`,
            },
          ]
        : []),
      ...(routine.leakproof
        ? [
            {
              id: 'tenancy.function-leakproof',
              object: signature,
              detail: 'it is marked leakproof, so it may be given rows before a policy has judged them',
              mend: `alter function ${signature} not leakproof;`,
            },
          ]
        : []),
    ]
  })

function definer(estate: Estate, routine: Routine): readonly TenancyFinding[] {
  const { signature, owner } = routine
  if (!routine.definer) return []
  return [
    ...(estate.isExempt(owner)
      ? [
          {
            id: 'tenancy.function-definer',
            object: signature,
            detail: `the application may call it, and it runs as ${owner}, whom the policies do not bind`,
            mend: `alter function ${signature} security invoker; -- or: revoke execute on function ${signature} from public;`,
          },
        ]
      : []),
    ...searchPath(routine),
  ]
}

function searchPath({ signature, settings }: Routine): readonly TenancyFinding[] {
  if (settings.some((each) => each.startsWith('search_path='))) return []
  return [
    {
      id: 'tenancy.function-search-path',
      object: signature,
      detail: 'it runs with its owner’s rights on objects that the caller’s search_path chooses',
      mend: `alter function ${signature} set search_path = pg_catalog, pg_temp;`,
    },
  ]
}

/** Triggers that the application's writes fire. */
export const triggerRules: Rule = (estate) =>
  estate.catalogue.triggers.flatMap(({ table, name, signature }): readonly TenancyFinding[] => {
    const relation = estate.relation(table)
    const routine = estate.catalogue.routines.find((each) => each.signature === signature)
    if (relation === undefined || routine === undefined || !reaches(estate, relation)) return []
    const changes = routine.configures.includes(estate.tenantSetting)
      ? [
          {
            id: 'tenancy.function-tenant',
            object: `trigger ${name} on ${table}`,
            detail: `writes of the application run ${signature}, which sets ${estate.tenantSetting}: what follows runs as that tenant`,
            mend: `alter table ${sqlName(relation)} disable trigger ${quoted(name)};`,
          },
        ]
      : []
    if (!routine.definer) return changes
    if (!estate.isExempt(routine.owner)) return [...changes, ...searchPath(routine)]
    return [
      ...changes,
      {
        id: 'tenancy.trigger-definer',
        object: `trigger ${name} on ${table}`,
        detail: `writes of the application run ${signature} as ${routine.owner}, whom the policies do not bind`,
        mend: `alter function ${signature} security invoker; -- or: alter function ${signature} owner to ${quoted('a_bound_role')};`,
      },
      ...searchPath(routine),
    ]
  })
