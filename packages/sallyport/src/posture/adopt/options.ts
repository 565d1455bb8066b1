// The options of helmet, cors and express-rate-limit, as a file exports them: together by their names, or one alone,
// told by its keys.

import { helmetLines } from './helmet.ts'
import { type Observed, observe, type RateLimit } from './observed.ts'

type Options = Readonly<Record<string, unknown>>

const NAMES = {
  helmet: ['helmet', 'helmetOptions'],
  cors: ['cors', 'corsOptions'],
  rateLimit: ['rateLimit', 'rateLimitOptions', 'limiter', 'express-rate-limit'],
} as const

// Keys that one of the three alone has.
const KEYS = {
  helmet:
    /^(?:contentSecurityPolicy|strictTransportSecurity|hsts|referrerPolicy|crossOrigin\w+|x[A-Z]\w+|frameguard|noSniff|hidePoweredBy|originAgentCluster)$/,
  cors: /^(?:origin|methods|allowedHeaders|exposedHeaders|credentials|optionsSuccessStatus|preflightContinue)$/,
  rateLimit: /^(?:windowMs|max|limit|standardHeaders|legacyHeaders)$/,
} as const

/** Reads what a file exports; `undefined` where it holds none of the three. */
export function observeOptions(exported: unknown): Observed | undefined {
  if (!isOptions(exported)) return undefined
  const found = (which: keyof typeof NAMES): unknown => {
    const name = NAMES[which].find((each) => Object.hasOwn(exported, each))
    if (name !== undefined) return exported[name]
    return Object.keys(exported).some((key) => KEYS[which].test(key)) ? exported : undefined
  }
  const [helmet, cors, rateLimit] = [found('helmet'), found('cors'), found('rateLimit')]
  if (helmet === undefined && cors === undefined && rateLimit === undefined) return undefined
  const notes: string[] = []
  const headers = helmet === undefined ? [] : helmetLines(helmet)
  if (helmet !== undefined && headers.length === 0) notes.push('helmet: every header is switched off')
  const { origins, credentials } = corsOf(cors, notes)
  return observe([{ method: 'GET', path: '/', status: 200, headers }], {
    corsOrigins: origins,
    corsCredentials: credentials,
    rateLimits: rateLimit === undefined ? [] : [rateLimit].flat().flatMap((each) => limitOf(each, notes)),
    notes,
  })
}

function corsOf(
  given: unknown,
  notes: string[],
): { readonly origins: readonly string[]; readonly credentials: boolean } {
  if (given === undefined || given === false) return { origins: [], credentials: false }
  const { origin = '*', credentials } = isOptions(given) ? given : {}
  const origins: string[] = []
  for (const each of [origin].flat() as readonly unknown[]) {
    if (typeof each === 'string') origins.push(each)
    else if (each === true) {
      origins.push('*')
      notes.push('cors.origin is true: every origin is answered as if it were listed')
    } else if (each !== false)
      notes.push(
        `cors.origin has a ${each instanceof RegExp ? 'pattern' : 'function'}: list the origins that it lets in yourself`,
      )
  }
  return { origins, credentials: credentials === true }
}

function limitOf(given: unknown, notes: string[]): readonly RateLimit[] {
  if (!isOptions(given)) return []
  // @fastify/rate-limit says timeWindow; the defaults are those of express-rate-limit.
  const { timeWindow } = given
  const isFastify = timeWindow !== undefined
  const {
    windowMs = isFastify ? milliseconds(timeWindow) : 60_000,
    limit = given['max'] ?? (isFastify ? 1_000 : 5),
  } = given
  if (typeof limit !== 'number')
    notes.push('rateLimit.limit is computed for each request: the number is not known here')
  return [
    {
      limit: typeof limit === 'number' ? limit : undefined,
      windowMs: typeof windowMs === 'number' ? windowMs : undefined,
    },
  ]
}

const UNIT_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

function milliseconds(time: unknown): number | undefined {
  if (typeof time === 'number') return time
  const [, count, unit] = /^(\d{1,6}) ?(second|minute|hour|day)s?$/.exec(String(time)) ?? []
  return unit === undefined ? undefined : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
