// `request`: which form a request must have, and how large it may be, before anything else looks at it.

import { MODES, type Place } from '../../guard/control.ts'
import { METHODS } from '../../policy/pattern.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { flag, type Infer, integer, list, object, oneOf, problem, text } from '../../policy/schema.ts'

/** Methods that no policy can allow: TRACE and TRACK echo credentials, CONNECT opens a tunnel. */
export const NEVER_ALLOWED: readonly string[] = ['TRACE', 'TRACK', 'CONNECT']

export const requestSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    nonCanonical: oneOf(
      ['refuse', 'strict'],
      'What a path that is not canonical meets: 400, or the strict cell (private, no CORS, no exemption). Left out: "refuse" in the gateway, "strict" inside an application. It belongs at the top level, since such a path matches no route.',
    ),
    methods: list(
      text(
        {
          pattern: /^[A-Z][A-Z-]*$/,
          max: 32,
          expected: 'a method in capitals',
          mend: 'write it as it is sent, such as "PROPFIND"',
        },
        'A method name.',
      ),
      `Methods accepted besides ${METHODS.join(', ')}, such as those of WebDAV.`,
      { max: 50 },
    ),
    maxTargetBytes: integer(
      { min: 64, max: 65_536, example: 8192 },
      'The longest request target: path and query, in bytes.',
    ),
    maxHeaderCount: integer({ min: 8, max: 1000, example: 100 }, 'The most header lines of a request.'),
    maxHeaderBytes: integer(
      { min: 512, max: 262_144, example: 16_384 },
      'The largest request head: the request line and all header lines, in bytes.',
    ),
    maxBodyBytes: integer(
      { min: 0, max: Number.MAX_SAFE_INTEGER, example: 1_048_576 },
      'The largest body, in bytes; no limit where it is left out.',
    ),
    webSocket: flag(
      'Whether a WebSocket may be opened here: the gateway lets one through only where this is true, and a page only from its own origin or one that CORS lists. false.',
    ),
  },
  'The form of requests: framing, host, target, sizes.',
)

export type RequestSetting = Infer<typeof requestSchema>

export const requestDefaults = {
  maxTargetBytes: 8192,
  maxHeaderCount: 100,
  maxHeaderBytes: 16_384,
} as const satisfies RequestSetting

/** The smaller of each limit, so that no spelling of a path escapes one that its route has; and no WebSocket. */
export function strictRequest(setting: RequestSetting, other: RequestSetting): RequestSetting {
  const least = (a: number | undefined, b: number | undefined) =>
    a === undefined ? b : b === undefined ? a : Math.min(a, b)
  const limits = Object.fromEntries(
    (['maxTargetBytes', 'maxHeaderCount', 'maxHeaderBytes', 'maxBodyBytes'] as const).flatMap((name) => {
      const limit = least(setting[name], other[name])
      return limit === undefined ? [] : [[name, limit]]
    }),
  )
  const { webSocket: _webSocket, ...rest } = setting
  return { ...rest, ...limits }
}

/** What a path that is not canonical meets: between a caller and somebody else's program it is refused. */
export function nonCanonicalIn(setting: RequestSetting, place: Place): 'refuse' | 'strict' {
  return setting.nonCanonical ?? (place === 'gateway' ? 'refuse' : 'strict')
}

// `a:` and CRLF: the shortest header line there is.
const SHORTEST_LINE_BYTES = 4

export function requestContradictions(setting: RequestSetting): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const { maxTargetBytes = 0, maxHeaderBytes = Number.POSITIVE_INFINITY, maxHeaderCount = 0 } = setting
  if (maxTargetBytes > maxHeaderBytes)
    problems.push(
      problem(
        'maxTargetBytes',
        'contradiction',
        `a target this long never fits in a head of ${maxHeaderBytes} bytes`,
        maxTargetBytes,
        'make maxTargetBytes smaller than maxHeaderBytes',
      ),
    )
  if (maxHeaderCount * SHORTEST_LINE_BYTES > maxHeaderBytes)
    problems.push(
      problem(
        'maxHeaderCount',
        'contradiction',
        `this many lines never fit in a head of ${maxHeaderBytes} bytes`,
        maxHeaderCount,
        'make maxHeaderCount smaller, or maxHeaderBytes larger',
      ),
    )
  setting.methods?.forEach((method, index) => {
    if (NEVER_ALLOWED.includes(method))
      problems.push(
        problem(
          `methods[${index}]`,
          'insecure',
          'this method is never accepted: TRACE and TRACK echo credentials, CONNECT opens a tunnel',
          method,
          'remove it',
        ),
      )
  })
  return problems
}
