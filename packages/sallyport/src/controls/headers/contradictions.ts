// What is contradictory or insecure in a `headers` setting of the right form.

import { childPath, nearest, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { cspProblems } from './csp-contradictions.ts'
import { FIXED } from './enforce.ts'
import { framingOfCsp, framingOfXfo, framingSurplus } from './framing.ts'
import { features } from './permissions.ts'
import { type HeadersSetting, strippedNames } from './setting.ts'

export function headersContradictions(setting: HeadersSetting): readonly PolicyProblem[] {
  return [
    ...csps(setting),
    ...framing(setting),
    ...permissions(setting),
    ...isolation(setting),
    ...stripped(setting),
    ...lengths(setting),
  ]
}

function csps(setting: HeadersSetting): readonly PolicyProblem[] {
  const endpoints = setting.reportingEndpoints || {}
  return (['contentSecurityPolicy', 'contentSecurityPolicyReportOnly'] as const).flatMap((path) => {
    const csp = setting[path]
    if (!csp) return []
    return cspProblems(csp, { path, reportOnly: path === 'contentSecurityPolicyReportOnly', endpoints })
  })
}

// The reader of X-Frame-Options must not be told less than what browsers allow by frame-ancestors, which decides.
function framing({ frameOptions, contentSecurityPolicy }: HeadersSetting): readonly PolicyProblem[] {
  if (!frameOptions || !contentSecurityPolicy) return []
  const byCsp = framingOfCsp([contentSecurityPolicy])
  const more = byCsp && framingSurplus(framingOfXfo(frameOptions), byCsp)
  if (more === undefined) return []
  return [
    problem(
      'frameOptions',
      'contradiction',
      `frame-ancestors decides in browsers and lets more pages frame (${more})`,
      frameOptions,
      'write frameOptions: false, or narrow frame-ancestors',
    ),
  ]
}

function permissions({ permissionsPolicy }: HeadersSetting): readonly PolicyProblem[] {
  if (!permissionsPolicy) return []
  const entries = Object.entries(permissionsPolicy)
  if (entries.length === 0)
    return [
      problem(
        'permissionsPolicy',
        'contradiction',
        'without features the header says nothing',
        {},
        'write false, or features such as { camera: [] }',
      ),
    ]
  return entries.flatMap(([feature, allowed]) => {
    const path = childPath('permissionsPolicy', feature)
    const found: PolicyProblem[] = []
    if (!features().has(feature)) {
      const meant = nearest(feature, [...features().keys()])
      found.push(
        problem(
          path,
          'value',
          'browsers know no such feature',
          feature,
          meant ? `did you mean "${meant}"?` : 'see the features of W3C Permissions Policy, such as camera',
        ),
      )
    }
    if (allowed.includes('*') && allowed.length > 1)
      found.push(
        problem(
          path,
          'contradiction',
          '"*" grants everyone, the others too',
          allowed,
          'write ["*"] or remove "*"',
        ),
      )
    return found
  })
}

function isolation(setting: HeadersSetting): readonly PolicyProblem[] {
  const { crossOriginEmbedderPolicy: coep, crossOriginOpenerPolicy: coop, originAgentCluster } = setting
  const isolated = coop === 'same-origin' && (coep === 'require-corp' || coep === 'credentialless')
  if (originAgentCluster !== '?0' || !isolated) return []
  return [
    problem(
      'originAgentCluster',
      'contradiction',
      'a cross-origin isolated page (COOP same-origin with COEP) always has its own agent cluster',
      '?0',
      'write "?1" or leave it out',
    ),
  ]
}

const FRAMING_OF_MESSAGE = 'the message cannot be read without it'
const OTHER_CONTROL = (control: string) => `the control "${control}" decides on it`

/** Headers that `strip` may not take away, and why. */
const KEPT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'connection',
      'content-encoding',
      'content-length',
      'content-range',
      'content-type',
      'date',
      'keep-alive',
      'trailer',
      'transfer-encoding',
      'upgrade',
    ].map((name) => [name, FRAMING_OF_MESSAGE]),
  ),
  location: 'a redirect leads nowhere without it',
  allow: 'a 405 must name the methods (RFC 9110, section 15.5.6)',
  'www-authenticate': 'a 401 must carry a challenge (RFC 9110, section 15.5.2)',
  'proxy-authenticate': 'a 407 must carry a challenge (RFC 9110, section 15.5.8)',
  'retry-after': 'callers would not know when to come back',
  'set-cookie': 'sessions depend on it',
  vary: 'caches would mix up answers',
  'cache-control': OTHER_CONTROL('cache'),
  'strict-transport-security': OTHER_CONTROL('transport'),
  'access-control-allow-origin': OTHER_CONTROL('cors'),
  'access-control-allow-credentials': OTHER_CONTROL('cors'),
  'access-control-allow-methods': OTHER_CONTROL('cors'),
  'access-control-allow-headers': OTHER_CONTROL('cors'),
  'access-control-expose-headers': OTHER_CONTROL('cors'),
  'access-control-max-age': OTHER_CONTROL('cors'),
}

const FIELD_OF: ReadonlyMap<string, string> = new Map(
  FIXED.map(([name, , field]) => [name.toLowerCase(), field]),
)

function stripped(setting: HeadersSetting): readonly PolicyProblem[] {
  return strippedNames(setting).flatMap((name) => {
    const path = childPath('strip', name)
    const field = FIELD_OF.get(name)
    if (field !== undefined)
      return [
        problem(
          path,
          'contradiction',
          `${field} decides on this header`,
          name,
          `remove it here, and write ${field}: false where it is not to be sent`,
        ),
      ]
    return !Object.hasOwn(KEPT, name)
      ? []
      : [problem(path, 'contradiction', `this header cannot be left out: ${KEPT[name]}`, name, 'remove it')]
  })
}

/** Proxies refuse heads that are longer than 8 KiB or less; bytes. */
const MAX_VALUE_BYTES = 4096

function lengths(setting: HeadersSetting): readonly PolicyProblem[] {
  return FIXED.flatMap(([name, valueIn, field]) => {
    const value = valueIn(setting)
    if (!value || value.length <= MAX_VALUE_BYTES) return []
    return [
      problem(
        field,
        'value',
        `${name} would be longer than ${MAX_VALUE_BYTES} bytes, which proxies refuse`,
        value.length,
        'shorten the lists',
      ),
    ]
  })
}
