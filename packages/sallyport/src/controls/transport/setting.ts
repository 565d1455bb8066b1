// `transport`: where TLS ends, which versions, HTTPS only, HSTS.

import { MODES } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { either, flag, type Infer, integer, not, object, oneOf, problem } from '../../policy/schema.ts'

/** One year, the least that the preload list takes; seconds. */
export const PRELOAD_MIN_SECONDS = 31_536_000

export const transportSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    tls: oneOf(['here', 'in-front'], 'Where TLS ends: at our own listener, or at a balancer in front of it.'),
    minVersion: oneOf(['TLSv1.3', 'TLSv1.2'], 'The oldest TLS version that a listener of ours speaks.'),
    plainHttp: oneOf(
      ['refuse', 'redirect'],
      'What a request over plain HTTP meets: 403, or 308 for GET and HEAD without credentials.',
    ),
    hsts: either(
      [
        not('No Strict-Transport-Security; an application’s is removed.'),
        object(
          {
            maxAgeSeconds: integer(
              { min: 0, max: 2_147_483_647, example: 63_072_000 },
              'How long browsers insist on HTTPS, in seconds.',
            ),
            includeSubDomains: flag('Also for every subdomain.'),
            preload: flag('Asks for the browsers’ built-in list.'),
          },
          'Strict-Transport-Security (RFC 6797).',
        ),
      ],
      'Strict-Transport-Security (RFC 6797).',
    ),
  },
  'TLS, HTTPS only, Strict-Transport-Security.',
)

export type TransportSetting = Infer<typeof transportSchema>

export const transportDefaults: TransportSetting = {
  tls: 'in-front',
  minVersion: 'TLSv1.3',
  plainHttp: 'refuse',
}

/** @see hstspreload.org: a year at least, and every subdomain */
export function transportContradictions(setting: TransportSetting): readonly PolicyProblem[] {
  const { hsts } = setting
  const problems: PolicyProblem[] = []
  if (setting.plainHttp === 'redirect' && (hsts === false || (hsts && hsts.maxAgeSeconds === 0)))
    problems.push(
      problem(
        'plainHttp',
        'insecure',
        'a redirect without Strict-Transport-Security leaves every first request open to whoever stands between',
        'redirect',
        'write plainHttp: "refuse", or hsts: { maxAgeSeconds: 63072000, includeSubDomains: true }',
      ),
    )
  if (hsts) {
    if (hsts.maxAgeSeconds === undefined)
      problems.push(
        problem('hsts', 'missing', 'maxAgeSeconds is missing', hsts, 'add maxAgeSeconds: 63072000'),
      )
    if (hsts.preload && !hsts.includeSubDomains)
      problems.push(
        problem(
          'hsts.preload',
          'contradiction',
          'the preload list takes only hosts with includeSubDomains',
          true,
          'add includeSubDomains: true',
        ),
      )
    if (hsts.preload && (hsts.maxAgeSeconds ?? 0) < PRELOAD_MIN_SECONDS)
      problems.push(
        problem(
          'hsts.maxAgeSeconds',
          'contradiction',
          `the preload list asks for at least ${PRELOAD_MIN_SECONDS} seconds`,
          hsts.maxAgeSeconds,
          'write 63072000, or leave preload out',
        ),
      )
  }
  return problems
}

/** The value of the header, or `undefined` where none is sent. */
export function hstsValue(setting: TransportSetting): string | undefined {
  const { hsts } = setting
  if (!hsts) return undefined
  return [
    `max-age=${hsts.maxAgeSeconds}`,
    ...(hsts.includeSubDomains ? ['includeSubDomains'] : []),
    ...(hsts.preload ? ['preload'] : []),
  ].join('; ')
}
