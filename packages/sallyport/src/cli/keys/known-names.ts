// The names that the policy at hand knows: a key with a scope that nobody asks for, or a plan that nobody limits, would be
// found out only by its holder.

import type { AccessSetting } from '../../controls/access/setting.ts'
import type { KeysSetting } from '../../controls/keys/setting.ts'
import type { LimitsSetting } from '../../controls/limits/setting.ts'
import { nearest, show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { choosePolicy } from '../policy-choice.ts'

/** What the policy says of keys and of the names that they carry; `undefined` where it has no such list. */
export interface KnownNames {
  readonly setting: KeysSetting
  /** The file; `undefined` where there is none. */
  readonly source: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly plans: readonly string[] | undefined
  /** The names of the plans' buckets. */
  readonly buckets: readonly string[] | undefined
  readonly defaultPlan: string | undefined
}

/** Reads the policy that is named, or the one of the directory, or none. */
export async function knownNames(invocation: Invocation, terminal: Terminal): Promise<KnownNames> {
  const { resolved, source, file } = await choosePolicy(invocation, terminal, {
    policy: {},
    source: 'no policy',
  })
  const base = resolved.cells.find(({ origin }) => origin === 'default')!.settings
  const { catalogue } = base['access'] as AccessSetting
  const limits = resolved.cells.map(({ settings }) => settings['limits'] as LimitsSetting)
  const plans = limits.flatMap((setting) => Object.entries(setting.plans ?? {}))
  return {
    setting: base['keys'] as KeysSetting,
    source: file === undefined ? undefined : source,
    scopes: catalogue?.scopes && Object.keys(catalogue.scopes),
    plans: plans.length === 0 ? undefined : [...new Set(plans.map(([name]) => name))],
    buckets:
      plans.length === 0
        ? undefined
        : [...new Set(plans.flatMap(([, plan]) => Object.keys(plan.buckets ?? {})))],
    defaultPlan: (base['limits'] as LimitsSetting).defaultPlan,
  }
}

/**
 * Checks names against the policy.
 *
 * @param what what each of them is: `scope`
 * @returns a remark where nothing is there to check them against
 * @throws Failure for a name that the policy does not know
 */
export function checkNames(
  { source, ...known }: KnownNames,
  option: string,
  what: string,
  list: 'scopes' | 'plans' | 'buckets',
  wanted: readonly string[],
): readonly string[] {
  if (wanted.length === 0) return []
  const names = known[list]
  if (names === undefined)
    return [
      source === undefined
        ? `No policy is at hand, so ${option} was not checked; name one with --policy.`
        : `${source} lists no ${list}, so ${option} was not checked.`,
    ]
  for (const name of wanted) {
    if (names.includes(name)) continue
    const meant = nearest(name, names)
    throw new Failure(
      `${option}: ${source} has no ${what} ${show(name)}; ${
        meant === undefined
          ? `it has ${names.slice(0, 10).join(', ') || 'none'}${names.length > 10 ? ', …' : ''}`
          : `did you mean ${meant}?`
      }`,
    )
  }
  return []
}
