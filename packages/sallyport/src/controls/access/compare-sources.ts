// Which of two policies takes more credentials, and gives them more rights.

import type { CellInfo } from '../../guard/cell.ts'
import type { Change, Strength } from '../../guard/control.ts'
import { ALGORITHMS } from '../../tokens/algorithms.ts'
import { DEFAULT_SKEW_SECONDS } from '../../tokens/verifier.ts'
import { type AccessSetting, DEFAULT_IDENTITY_HEADER, DEFAULT_IDENTITY_SECONDS } from './setting.ts'

type Issuer = NonNullable<AccessSetting['tokens']>[number]

function change(what: string, strength: Strength, because: string): Change {
  return { what, strength, because }
}

/** The rights of roles; of a policy without roles every credential has what it was given. */
export function compareRoles(before: AccessSetting, after: AccessSetting): readonly Change[] {
  const [a, b] = [before.catalogue?.roles ?? {}, after.catalogue?.roles ?? {}]
  const [hadRoles, hasRoles] = [Object.keys(a).length > 0, Object.keys(b).length > 0]
  const what = 'catalogue.roles'
  if (hadRoles !== hasRoles) {
    // A session has the scopes of its role, and none without one.
    const mixed = before.sessions !== undefined && after.sessions !== undefined
    const [strength, because]: readonly [Strength, string] = hasRoles
      ? ['stronger', 'a credential reaches no further than the role of its owner']
      : ['weaker', 'a credential keeps scopes that the role of its owner does not have']
    return [change(what, mixed ? 'incomparable' : strength, because)]
  }
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((role) => {
    const [olds, nows] = [a[role] ?? [], b[role] ?? []]
    const of = (some: readonly string[], others: readonly string[]) =>
      some.filter((each) => !others.includes(each))
    return [
      ...of(nows, olds).map((scope) =>
        change(what, 'weaker', `a caller in the role "${role}" has the scope ${scope}`),
      ),
      ...of(olds, nows).map((scope) =>
        change(what, 'stronger', `a caller in the role "${role}" no longer has the scope ${scope}`),
      ),
    ]
  })
}

/** The credentials that are taken in a cell. */
export function compareSources(
  before: AccessSetting,
  after: AccessSetting,
  [was, is]: readonly [CellInfo, CellInfo],
  where: string,
): readonly Change[] {
  return [
    ...(was.credentials === 'cookie' || is.credentials === 'cookie'
      ? []
      : tokenChanges(before, after, where)),
    ...(was.credentials === 'bearer' || is.credentials === 'bearer'
      ? []
      : sessionChanges(before, after, where)),
  ]
}

function sessionChanges(
  { sessions: a }: AccessSetting,
  { sessions: b }: AccessSetting,
  where: string,
): readonly Change[] {
  if (a?.cookie === b?.cookie) return []
  if (!a) return [change('sessions', 'weaker', `whoever is signed in can call ${where}`)]
  if (!b) return [change('sessions', 'stronger', `a session does not open ${where} any more`)]
  return [change('sessions', 'incomparable', `another cookie holds the session: ${b.cookie}`)]
}

function keyOf({ issuer, jwks, introspection, service }: Issuer): string {
  if (jwks !== undefined) return `the issuer ${issuer}`
  return service ? 'the application itself' : `the issuer at ${introspection?.url}`
}

function tokenChanges(before: AccessSetting, after: AccessSetting, where: string): readonly Change[] {
  const [olds, nows] = [before, after].map(
    ({ tokens = [] }) => new Map(tokens.map((issuer) => [keyOf(issuer), issuer])),
  ) as [Map<string, Issuer>, Map<string, Issuer>]
  return [...new Set([...olds.keys(), ...nows.keys()])].flatMap((key) => {
    const [a, b] = [olds.get(key), nows.get(key)]
    if (!a) return [change('tokens', 'weaker', `tokens of ${key} open ${where}`)]
    if (!b) return [change('tokens', 'stronger', `tokens of ${key} do not open ${where} any more`)]
    return issuerChanges(a, b, key)
  })
}

function issuerChanges(a: Issuer, b: Issuer, of: string): readonly Change[] {
  const [skewA, skewB] = [a, b].map(({ clockSkewSeconds = DEFAULT_SKEW_SECONDS }) => clockSkewSeconds) as [
    number,
    number,
  ]
  const audience = (issuer: Issuer) => (issuer.audience === undefined ? undefined : [issuer.audience].flat())
  const other = (what: string, x: unknown, y: unknown, because: string): Change[] =>
    JSON.stringify(x) === JSON.stringify(y) ? [] : [change('tokens', 'incomparable', `${because} (${what})`)]
  return [
    ...listChanges(audience(a), audience(b), (name) => `tokens of ${of} that are meant for ${name}`),
    ...listChanges(
      a.algorithms ?? ALGORITHMS,
      b.algorithms ?? ALGORITHMS,
      (name) => `tokens of ${of} signed with ${name}`,
    ),
    ...(skewA === skewB
      ? []
      : [
          change(
            'tokens',
            skewB > skewA ? 'weaker' : 'stronger',
            `a token of ${of} ends ${skewB} seconds after its time instead of ${skewA}`,
          ),
        ]),
    ...((a.type ?? 'at+jwt') === (b.type ?? 'at+jwt')
      ? []
      : [
          b.type === 'jwt'
            ? change(
                'tokens',
                'weaker',
                `a token of ${of} that is not marked as an access token is taken for one`,
              )
            : change('tokens', 'stronger', `only what ${of} marks as an access token is taken for one`),
        ]),
    ...other('jwks', a.jwks, b.jwks, `the keys of ${of} come from elsewhere`),
    ...other('issuer', a.issuer, b.issuer, `${of} is known under another name`),
    ...other('claims', a.claims, b.claims, `other claims of ${of} say who calls`),
  ]
}

// Without a list everything is taken.
function listChanges(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
  which: (name: string) => string,
): readonly Change[] {
  if (a === undefined && b === undefined) return []
  if (b === undefined) return [change('tokens', 'weaker', `${which('anybody')} are taken`)]
  if (a === undefined) return [change('tokens', 'stronger', `only ${which(b.join(' or '))} are taken`)]
  return [
    ...b
      .filter((name) => !a.includes(name))
      .map((name) => change('tokens', 'weaker', `${which(name)} are taken`)),
    ...a
      .filter((name) => !b.includes(name))
      .map((name) => change('tokens', 'stronger', `${which(name)} are not taken any more`)),
  ]
}

/** What the service behind the gateway is told. */
export function compareIdentity(
  { identity: a }: AccessSetting,
  { identity: b }: AccessSetting,
): readonly Change[] {
  if (!a && !b) return []
  if (!b)
    return [change('identity', 'weaker', 'the service behind the gateway can’t prove any more who calls')]
  if (!a) return [change('identity', 'stronger', 'the service behind the gateway can prove who calls')]
  const [from, to] = [
    a.lifetimeSeconds ?? DEFAULT_IDENTITY_SECONDS,
    b.lifetimeSeconds ?? DEFAULT_IDENTITY_SECONDS,
  ]
  const isSame = (['header', 'issuer', 'audience'] as const).every(
    (field) => (a[field] ?? DEFAULTS[field]) === (b[field] ?? DEFAULTS[field]),
  )
  return [
    ...(from === to
      ? []
      : [
          change(
            'identity.lifetimeSeconds',
            to > from ? 'weaker' : 'stronger',
            `an identity that the service behind shows around opens others for ${to} seconds instead of ${from}`,
          ),
        ]),
    ...(isSame ? [] : [change('identity', 'incomparable', 'the identity is told in other words')]),
  ]
}

const DEFAULTS = { header: DEFAULT_IDENTITY_HEADER, issuer: 'sallyport', audience: undefined } as const
