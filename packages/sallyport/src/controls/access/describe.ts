// How `access` stands on the posture page.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { ALGORITHMS } from '../../tokens/algorithms.ts'
import { INTROSPECTION_SECONDS } from '../../tokens/introspection.ts'
import { REFRESH_SECONDS, TRUSTED_SECONDS } from '../../tokens/key-set.ts'
import { DEFAULT_SKEW_SECONDS } from '../../tokens/verifier.ts'
import { sameForAll } from '../faces.ts'
import { ACCESS_ID } from './enforce.ts'
import { type Requirement, requirementOf } from './requirement.ts'
import { ACCOUNT_PATH, LIMITS_PATH } from './self-service.ts'
import {
  type AccessSetting,
  DEFAULT_IDENTITY_HEADER,
  DEFAULT_IDENTITY_SECONDS,
  IDENTITY_KEYS_PATH,
} from './setting.ts'

type Cells = readonly Resolved<AccessSetting>[]

export function describeAccess(cells: Cells, place: Place): Section {
  const whole = inForce(cells.at(-2)?.setting ?? {})
  const asksAnything = cells.some((resolved) => requirementIn(resolved).level !== 'open')
  return {
    control: 'access',
    id: ACCESS_ID,
    title: 'Access',
    entries: asksAnything
      ? [
          ...sameForAll(
            cells,
            'Who may call',
            (_setting, resolved) => requirementWords(requirementIn(resolved), resolved),
            'It is decided before the application is asked; what a cache may keep is the second line, not the first.',
          ),
          ...sourceEntries(whole),
          ...catalogueEntries(whole),
          ...identityEntries(whole, place),
          ...(whole.selfService
            ? [
                entry(
                  'Callers about themselves',
                  `GET ${ACCOUNT_PATH} and GET ${LIMITS_PATH} are answered here`,
                  'A caller sees who it is taken for, what it may do, and what is left of its limits; nothing of anybody else.',
                ),
              ]
            : []),
        ]
      : [
          {
            name: 'Who may call',
            value: 'not set',
            why: 'Nothing here asks who calls: every route is as open as the application leaves it, and a handler that forgets to ask is open to everybody.',
            cells: [],
          },
        ],
    limits: asksAnything ? limits(whole, place) : [],
  }
}

function inForce(setting: AccessSetting): AccessSetting {
  return setting.mode === 'off' ? {} : setting
}

function requirementIn({ setting, cell }: Resolved<AccessSetting>): Requirement {
  return requirementOf(inForce(setting), setting.mode === 'off' ? { ...cell, settings: {} } : cell)
}

function requirementWords(required: Requirement, { setting }: Resolved<AccessSetting>): string {
  const { level, scopes, anyScope, roles, kinds, maxAgeSeconds, methods } = required
  const reported = setting.mode === 'report' ? ' (only counted, not refused)' : ''
  if (level === 'open') return 'everybody'
  if (level === 'optional') return `everybody; a credential that is shown must be valid${reported}`
  const parts = [
    kinds.length > 0 ? `whoever shows a valid ${kinds.join(' or ')}` : 'whoever shows a valid credential',
    ...(scopes.length > 0 ? [`with ${scopes.length > 1 ? 'all of ' : ''}${scopes.join(', ')}`] : []),
    ...(anyScope.length > 0 ? [`with one of ${anyScope.join(', ')}`] : []),
    ...(roles.length > 0 ? [`in the role ${roles.join(' or ')}`] : []),
    ...(maxAgeSeconds === undefined ? [] : [`signed in within ${maxAgeSeconds} seconds`]),
    ...(methods.length > 0 ? [`by ${methods.join(' or ')}`] : []),
  ]
  return parts.join(', ') + reported
}

function sourceEntries({ tokens = [], sessions }: AccessSetting): readonly Entry[] {
  return [
    ...tokens.map((issuer): Entry => {
      const { audience, jwks, introspection, algorithms = ALGORITHMS, type = 'at+jwt' } = issuer
      const skew = issuer.clockSkewSeconds ?? DEFAULT_SKEW_SECONDS
      const name = `Tokens of ${issuer.issuer ?? (introspection ? 'an issuer that is asked' : 'the application')}`
      const names = audience === undefined ? '' : ` for ${[audience].flat().join(' or ')}`
      if (jwks !== undefined)
        return entry(
          name,
          `signed (${algorithms.join(', ')}), ${type === 'jwt' ? 'any JWT' : 'typ at+jwt'}${names}; clocks may differ by ${skew} s`,
          'Signature, issuer, audience and times are checked with the keys that the issuer publishes; "none", HMAC and keys that a token brings along are never taken (RFC 8725, RFC 9068).',
        )
      if (introspection)
        return entry(
          name,
          `the issuer is asked about each${names}; an answer is used for ${INTROSPECTION_SECONDS} seconds`,
          'A token that was taken back is refused when the next answer comes (RFC 7662).',
        )
      return entry(
        name,
        'looked up by the application itself',
        'They are opaque, so whoever gave them out can end each at once.',
      )
    }),
    ...(sessions
      ? [
          entry(
            'Sessions',
            `the cookie ${sessions.cookie ?? ''}`,
            'It is not looked at where the policy ignores cookies; two of the name, or one beside another credential, are refused.',
          ),
        ]
      : []),
    entry(
      'A credential that is missing or wrong',
      '401 with WWW-Authenticate: Bearer; one that reaches too short 403, with the scopes that would do',
      'All that can be wrong with a credential has one answer (RFC 6750); two credentials in one request are refused, since two programs could take it for two callers.',
    ),
  ]
}

function catalogueEntries({ catalogue = {} }: AccessSetting): readonly Entry[] {
  const { scopes = {}, roles = {} } = catalogue
  return [
    ...Object.entries(scopes).map(([name, means]) =>
      entry(`Scope ${name}`, means, 'No scope holds another.'),
    ),
    ...Object.entries(roles).map(([role, names]) =>
      entry(
        `Role ${role}`,
        names.join(', ') || 'no scope',
        'What a credential may do is what it was given within what the role of its owner has now.',
      ),
    ),
  ]
}

function identityEntries({ identity }: AccessSetting, place: Place): readonly Entry[] {
  if (!identity || place !== 'gateway') return []
  const { header = DEFAULT_IDENTITY_HEADER, lifetimeSeconds = DEFAULT_IDENTITY_SECONDS, audience } = identity
  return [
    entry(
      'Identity for the service behind',
      `${header}: a JWT (EdDSA) for ${audience ?? ''}, valid for ${lifetimeSeconds} seconds; keys at ${IDENTITY_KEYS_PATH}`,
      'The service can prove who calls without knowing the credential; what callers send under such names is taken away.',
    ),
  ]
}

function entry(name: string, value: string, why: string): Entry {
  return { name, value, why, cells: [] }
}

function limits({ tokens = [], identity }: AccessSetting, place: Place): readonly string[] {
  const found = ['Whose data a caller reaches with a right is for the application to keep.']
  if (tokens.some(({ jwks }) => jwks !== undefined))
    found.push(
      `A signed token is valid until it ends, also where its issuer would take it back; a key that the issuer withdraws ends within ${REFRESH_SECONDS / 60} minutes, or ${TRUSTED_SECONDS / 60} where the issuer is away.`,
    )
  if (identity && place !== 'gateway')
    found.push(
      'The signed identity is handed on by the gateway only; inside an application the handler reads who calls.',
    )
  if (identity && place === 'gateway' && identity.key === undefined)
    found.push(
      'Each gateway signs identities with keys of its own; where several serve one address, give them one key.',
    )
  return found
}
