// What is wrong with the issuers of tokens: each must say how its tokens are checked, and for whom they are meant.

import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import type { AccessSetting } from './setting.ts'

type Issuers = NonNullable<AccessSetting['tokens']>

export function issuerProblems(issuers: Issuers): readonly PolicyProblem[] {
  const found = issuers.flatMap((issuer, index) => oneIssuer(issuer, childPath('tokens', index)))
  const seen = new Set<string>()
  let opaque = 0
  issuers.forEach(({ issuer, jwks, introspection, service }, index) => {
    const at = childPath('tokens', index)
    if (jwks !== undefined && issuer !== undefined) {
      if (seen.has(issuer))
        found.push(
          problem(`${at}.issuer`, 'contradiction', 'this issuer stands twice', issuer, 'keep one of the two'),
        )
      seen.add(issuer)
    }
    if (introspection !== undefined || service !== undefined) opaque++
    if (opaque > 1 && (introspection ?? service) !== undefined)
      found.push(
        problem(
          at,
          'contradiction',
          'an opaque token does not say who gave it out, so that it would be shown to the wrong one of two',
          undefined,
          'keep one entry with introspection or service',
        ),
      )
  })
  return found
}

function oneIssuer(issuer: Issuers[number], at: string): PolicyProblem[] {
  const { jwks, introspection, service, audience, algorithms, type } = issuer
  const ways = [jwks, introspection, service || undefined].filter((way) => way !== undefined).length
  if (ways !== 1)
    return [
      problem(
        at,
        'contradiction',
        ways === 0 ? 'nothing says how the tokens are checked' : 'the tokens are checked in two ways',
        undefined,
        'write one of jwks, introspection and service: true',
      ),
    ]
  const missing = (field: string, why: string, mend: string) =>
    problem(`${at}.${field}`, 'missing', why, undefined, mend)
  const found: PolicyProblem[] = []
  if (jwks !== undefined) {
    found.push(...addressProblems(jwks, `${at}.jwks`))
    if (issuer.issuer === undefined)
      found.push(
        missing('issuer', 'tokens of anybody with these keys would be taken', 'write the iss of its tokens'),
      )
    if (audience === undefined)
      // RFC 8725, section 3.9: else a token for another service opens this one.
      found.push(
        missing('audience', 'tokens for other services would be taken', 'write the name of this API in aud'),
      )
  } else if (algorithms !== undefined || type !== undefined)
    found.push(
      problem(
        childPath(at, algorithms === undefined ? 'type' : 'algorithms'),
        'contradiction',
        'nothing of the token is read here: whoever gave it out says whose it is',
        algorithms ?? type,
        'leave it out',
      ),
    )
  if (introspection) {
    for (const field of ['url', 'clientId', 'secret'] as const)
      if (introspection[field] === undefined)
        found.push(missing(`introspection.${field}`, 'the issuer can’t be asked without it', 'write it'))
    if (introspection.url !== undefined)
      found.push(...addressProblems(introspection.url, `${at}.introspection.url`))
  }
  return found
}

function addressProblems(url: string, at: string): readonly PolicyProblem[] {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.username !== '' || parsed.password !== '' || parsed.hash !== '')
    return [
      problem(
        at,
        'value',
        'this is no address that can be asked',
        url,
        'write https://host/path, without a user or #',
      ),
    ]
  if (parsed.protocol === 'https:' || LOOPBACK.test(parsed.hostname)) return []
  return [problem(at, 'insecure', 'whoever is on the way could answer for the issuer', url, 'write https://')]
}

// Nobody is on the way to this machine itself.
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/
