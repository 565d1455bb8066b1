// Each rule of CORS: who is believed, with what, and what a preflight and an answer say about it.

import { ORIGIN } from '../kinds/kinds.ts'
import type { Broken, Line, Mutation, Passing } from './mutation.ts'
import { beside, instead, valuesIn, without } from './mutation.ts'

const HOST = ORIGIN.slice('https://'.length)
const ALLOW_ORIGIN = 'Access-Control-Allow-Origin'
const ALLOW_CREDENTIALS = 'Access-Control-Allow-Credentials'

// Which other origins a careless comparison takes for the listed one.
const LOOK_ALIKES: readonly (readonly [name: string, from: string, accepts: (origin: string) => boolean])[] =
  [
    ['every-origin', 'cors.reflect-credentials', (origin) => origin !== 'null'],
    ['null', 'cors.null-origin', (origin) => origin === 'null'],
    ['suffix', 'cors.lax-match', (origin) => origin.endsWith(HOST) && !origin.startsWith('http:')],
    ['prefix', 'cors.lax-match', (origin) => origin.startsWith(ORIGIN)],
    ['prefix-with-port', 'cors.lax-match', (origin) => origin.startsWith(`${ORIGIN}:`)],
    ['subdomain', 'cors.lax-match', (origin) => origin.endsWith(`.${HOST}`)],
    ['parent-domain', 'cors.lax-match', (origin) => origin === 'https://example.com'],
    [
      'unescaped-dot',
      'cors.lax-match',
      (origin) =>
        origin.length === ORIGIN.length && new RegExp(`^https://${HOST}$`).test(origin) && origin !== ORIGIN,
    ],
    ['underscore', 'cors.lax-match', (origin) => origin.startsWith(ORIGIN) && origin[ORIGIN.length] === '_'],
    ['backtick', 'cors.lax-match', (origin) => origin.startsWith(ORIGIN) && origin[ORIGIN.length] === '`'],
    ['scheme', 'cors.http-origin', (origin) => origin === `http://${HOST}`],
    ['contains', 'cors.lax-match', (origin) => origin.includes(HOST) && origin !== ORIGIN],
  ]

const isPreflight = ({ kind }: Passing) => kind.startsWith('preflight')

function granted(lines: readonly Line[], origin: string, credentials: boolean): readonly Line[] {
  const open = instead(lines, ALLOW_ORIGIN, origin)
  return credentials ? instead(open, ALLOW_CREDENTIALS, 'true') : open
}

function believes(accepts: (origin: string) => boolean, credentials: boolean) {
  return (passing: Passing): Broken | undefined => {
    const origin = passing.asked('origin')
    if (origin === undefined || origin === ORIGIN || !accepts(origin) || passing.kind === 'parser')
      return undefined
    if (!isPreflight(passing)) return { lines: granted(passing.lines, origin, credentials) }
    const method = passing.asked('access-control-request-method') ?? 'GET'
    return {
      status: 204,
      lines: instead(
        without(without(granted(passing.lines, origin, credentials), 'Content-Type'), 'Content-Length'),
        'Access-Control-Allow-Methods',
        method,
      ),
      body: '',
    }
  }
}

type Change = (lines: readonly Line[], origin: string) => readonly Line[]

const toGranted =
  (preflight: boolean | undefined, change: Change) =>
  (passing: Passing): Broken | undefined => {
    const origin = passing.asked('origin')
    const grant = valuesIn(passing.lines, ALLOW_ORIGIN).length > 0
    if (origin === undefined || !grant) return undefined
    if (preflight !== undefined && isPreflight(passing) !== preflight) return undefined
    return { lines: change(passing.lines, origin) }
  }

const appended =
  (name: string, value: string): Change =>
  (lines) =>
    instead(lines, name, [...valuesIn(lines, name), value].filter(Boolean).join(', '))
const replaced =
  (name: string, value: string): Change =>
  (lines) =>
    instead(lines, name, value)
const removed =
  (name: string): Change =>
  (lines) =>
    without(lines, name)

const METHODS = 'Access-Control-Allow-Methods'
const HEADERS = 'Access-Control-Allow-Headers'
const EXPOSE = 'Access-Control-Expose-Headers'
const MAX_AGE = 'Access-Control-Max-Age'

// name, the word of the catalogue, on preflights (or on other answers, or on both), what is done.
const RULES: readonly (readonly [name: string, from: string, preflight: boolean | undefined, Change])[] = [
  ['methods/delete-added', 'drift.cors', true, appended(METHODS, 'DELETE')],
  ['methods/trace-added', 'drift.cors', true, appended(METHODS, 'TRACE')],
  ['methods/star', 'cors.literal-star', true, replaced(METHODS, '*')],
  ['methods/lost', 'drift.cors', true, removed(METHODS)],
  ['headers/added', 'drift.cors', true, appended(HEADERS, 'x-admin')],
  ['headers/star', 'cors.literal-star', true, replaced(HEADERS, '*')],
  ['headers/lost', 'drift.cors', true, removed(HEADERS)],
  ['max-age/long', 'cors.max-age', true, replaced(MAX_AGE, '864000')],
  ['max-age/day', 'drift.cors', true, replaced(MAX_AGE, '86400')],
  ['max-age/lost', 'drift.cors', true, removed(MAX_AGE)],
  ['expose/added', 'drift.cors', false, appended(EXPOSE, 'set-cookie-token')],
  ['expose/star', 'cors.literal-star', false, replaced(EXPOSE, '*')],
  ['expose/lost', 'drift.cors', false, removed(EXPOSE)],
  ['credentials/lost', 'drift.cors', false, removed(ALLOW_CREDENTIALS)],
  ['credentials/lost-on-preflight', 'drift.cors', true, removed(ALLOW_CREDENTIALS)],
  ['credentials/false', 'drift.cors', false, replaced(ALLOW_CREDENTIALS, 'false')],
  ['origin/star', 'cors.wildcard-credentials', false, replaced(ALLOW_ORIGIN, '*')],
  ['origin/star-on-preflight', 'cors.wildcard-credentials', true, replaced(ALLOW_ORIGIN, '*')],
  ['origin/another', 'drift.cors', false, replaced(ALLOW_ORIGIN, 'https://evil.example')],
  ['origin/lost', 'drift.cors', false, removed(ALLOW_ORIGIN)],
  ['origin/lost-on-preflight', 'drift.cors', true, removed(ALLOW_ORIGIN)],
  [
    'origin/twice',
    'cors.multiple-origins',
    false,
    (lines) => beside(lines, ALLOW_ORIGIN, 'https://evil.example'),
  ],
  [
    'origin/list',
    'cors.multiple-origins',
    false,
    (lines, origin) => instead(lines, ALLOW_ORIGIN, `${origin}, https://evil.example`),
  ],
  ['private-network', 'drift.cors', true, replaced('Access-Control-Allow-Private-Network', 'true')],
  ['vary/lost', 'cors.vary-missing', false, removed('Vary')],
  ['vary/lost-on-preflight', 'cors.vary-missing', true, removed('Vary')],
  ['vary/without-origin', 'cors.vary-missing', false, replaced('Vary', 'Accept-Encoding')],
]

// To an origin that is refused, nothing may be said.
const TOLD: readonly Line[] = [
  [ALLOW_CREDENTIALS, 'true'],
  [METHODS, 'GET, POST'],
  [HEADERS, 'authorization'],
  [EXPOSE, 'x-request-id'],
  [MAX_AGE, '600'],
]

/** The mutations. */
export function corsMutations(): readonly Mutation[] {
  const of = (id: string, from: string, answer: Mutation['answer'], subject: Mutation['subject'] = 'app') =>
    ({ id: `cors/${id}`, subject, controls: ['cors'], from, ...(answer ? { answer } : {}) }) as const
  return [
    ...LOOK_ALIKES.flatMap(([name, from, accepts]) => [
      of(`believes/${name}`, from, believes(accepts, true)),
      of(`believes/${name}/without-credentials`, from, believes(accepts, false)),
      of(`gateway/believes/${name}/with-credentials`, from, believes(accepts, true), 'gateway'),
    ]),
    ...RULES.map(([name, from, preflight, change]) => of(name, from, toGranted(preflight, change))),
    ...RULES.filter(([name]) => /added|vary|max-age/.test(name)).map(([name, from, preflight, change]) =>
      of(`gateway/${name}`, from, toGranted(preflight, change), 'gateway'),
    ),
    ...TOLD.map(([name, value]) =>
      of(`told-to-strangers/${name.toLowerCase()}`, 'drift.cors', (passing) =>
        passing.asked('origin') !== undefined &&
        passing.kind !== 'parser' &&
        valuesIn(passing.lines, ALLOW_ORIGIN).length === 0
          ? { lines: instead(passing.lines, name, value) }
          : undefined,
      ),
    ),
    of('granted-on-doubtful-paths', 'drift.cors', (passing) =>
      passing.kind === 'doubtful-path' && passing.asked('origin') === ORIGIN
        ? { lines: granted(passing.lines, ORIGIN, true) }
        : undefined,
    ),
    of('lost-on-errors', 'drift.cors', (passing) =>
      passing.kind === 'error' && passing.asked('origin') === ORIGIN
        ? { lines: without(without(passing.lines, ALLOW_ORIGIN), ALLOW_CREDENTIALS) }
        : undefined,
    ),
  ]
}
