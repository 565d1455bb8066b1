// What is allowed in a policy and still deserves a second look.

import { isLoopback, isOriginFault, parseOrigin } from '../controls/cors/origin.ts'
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
    ...sendsNothing(policy),
    ...developmentOrigins(policy),
    ...(host === undefined ? [] : pinsLocalhost(policy, host)),
  ]
}

/** What is said of an admin listener that other machines may reach. */
export function openAdmin(where = 'the admin listener'): string {
  return `${where} needs no password, and admin.allowNonLoopback lets other machines reach it: whoever does may read the policy and drain the gateway`
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

// Judged by what the document brings, not by what is in force: a control that is off has its own warning.
function sendsNothing({ cells }: ResolvedPolicy): readonly string[] {
  const brings = cells.some(({ settings }) => {
    const { mode: _mode, strip: _strip, ...headers } = settings['headers'] as Record<string, unknown>
    const { hsts } = settings['transport'] as { hsts?: unknown }
    return Object.values(headers).some((value) => value !== undefined && value !== false) || !!hsts
  })
  return brings
    ? []
    : ['headers: the policy sends no security header on any route; write extends: "recommended", or set some']
}

function developmentOrigins({ cells }: ResolvedPolicy): readonly string[] {
  const listed = new Set(
    cells.flatMap(({ settings }) => (settings['cors'] as { origins?: readonly string[] }).origins ?? []),
  )
  return [...listed]
    .filter(isForDevelopment)
    .map(
      (origin) =>
        `cors.origins: ${origin} may use cookies, and any program on a visitor's machine can serve it; it is for development, so leave it out in production`,
    )
}

function isForDevelopment(text: string): boolean {
  const origin = parseOrigin(text)
  return !isOriginFault(origin) && origin.scheme === 'http' && isLoopback(origin.host)
}

/** What is right in a policy, and reaches further than it may seem. */
export function policyNotes({ cells }: ResolvedPolicy): readonly string[] {
  const set = cells.flatMap(({ settings }) => {
    const { hsts, mode } = settings['transport'] as Transport
    return hsts && mode !== 'off' && mode !== 'report' ? [hsts] : []
  })
  if (!set.some(({ includeSubDomains, preload }) => includeSubDomains || preload)) return []
  const lasting = set.some(({ preload }) => preload)
    ? ', and the preload list of browsers is slow to leave'
    : ''
  return [`transport.hsts: every subdomain of the host must speak HTTPS${lasting}`]
}

interface Transport {
  readonly mode?: Mode
  readonly hsts?: false | { readonly includeSubDomains?: boolean; readonly preload?: boolean }
}
