// What is allowed in a policy and still deserves a second look.

import { disclosureWarnings } from '../controls/disclosure/index.ts'
import type { DisclosureSetting } from '../controls/disclosure/setting.ts'
import type { Mode } from '../guard/control.ts'
import type { ResolvedPolicy } from '../guard/resolve.ts'
import { sentence } from '../policy/problem.ts'
import { controls } from '../posture/register.ts'

/**
 * The warnings of a policy.
 *
 * @param now milliseconds since the epoch
 * @param host the name under which it is served, where one is known
 */
export function policyWarnings(policy: ResolvedPolicy, now: number, host?: string): readonly string[] {
  return [
    ...expiries(policy, now),
    ...notEnforced(policy),
    ...(host === undefined ? [] : pinsLocalhost(policy, host)),
  ]
}

function expiries({ cells }: ResolvedPolicy, now: number): readonly string[] {
  const { disclosure } = cells.find((cell) => cell.origin === 'default')!.settings
  return disclosureWarnings(disclosure as DisclosureSetting, now).map(sentence)
}

function notEnforced({ cells }: ResolvedPolicy): readonly string[] {
  return controls.flatMap(({ name }) =>
    (['report', 'off'] as const).flatMap((mode: Mode) => {
      const where = cells
        .filter((cell) => (cell.settings[name] as { mode?: Mode }).mode === mode)
        .map((cell) => cell.id)
        .filter((id) => id !== '!')
      if (where.length === 0) return []
      const what = mode === 'off' ? 'does nothing' : 'only counts what it would do'
      const place = where.includes('*')
        ? 'everywhere but in routes that say otherwise'
        : `on ${where.join(', ')}`
      return [`${name}: mode "${mode}": the control ${what} ${place}`]
    }),
  )
}

// Browsers keep Strict-Transport-Security by host name, whatever the port (RFC 6797, section 8.3).
function pinsLocalhost({ cells }: ResolvedPolicy, host: string): readonly string[] {
  if (host !== 'localhost') return []
  const pins = cells.some((cell) => {
    const { hsts, mode } = cell.settings.transport as { hsts?: unknown; mode?: Mode }
    return hsts !== undefined && hsts !== false && (mode ?? 'enforce') === 'enforce'
  })
  return pins
    ? [
        'transport.hsts: served as bare "localhost", browsers will insist on HTTPS for every server of this machine; use a name under it, such as sallyport.localhost',
      ]
    : []
}
