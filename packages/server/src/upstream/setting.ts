// `upstreams` and `routes` of the gateway configuration: the APIs behind the gateway, and which paths are whose.

import {
  childPath,
  either,
  type Infer,
  integer,
  isPatternFault,
  list,
  not,
  object,
  oneOf,
  PolicyError,
  type PolicyProblem,
  parsePattern,
  problem,
  record,
  text,
} from 'sallyport/settings'
import { upstreamOrigin } from './pool.ts'

const NAME = {
  pattern: /^[a-z][a-z0-9-]{0,62}$/,
  expected: 'small letters, digits and "-"',
  mend: 'write a name such as "api"',
}

const file = (doc: string) =>
  text({ pattern: /^[^\0]+$/, expected: 'a path', mend: 'write a path such as "tls/upstream-ca.pem"' }, doc)

const ms = (doc: string, example: number) => integer({ min: 1, max: 86_400_000, example }, doc)

const upstreamSchema = object(
  {
    urls: list(
      text(
        { expected: 'an http or https origin', mend: 'write "http://127.0.0.1:9000"' },
        'An origin, without a path.',
      ),
      'Where it is: one origin, or several that do the same and share the requests.',
      { min: 1, max: 64 },
    ),
    connections: integer(
      { min: 1, max: 10_000, example: 200 },
      'Requests and tunnels at the same time, over all addresses; more are answered 503. 1024.',
    ),
    connectionsPerClient: integer(
      { min: 1, max: 10_000, example: 50 },
      'How many of them one client may have, by its IPv4 address or IPv6 /64; a quarter.',
    ),
    queue: integer(
      { min: 0, max: 10_000, example: 100 },
      'Requests that wait for one of them to end, one client half of these; 0.',
    ),
    queueMs: ms('How long a request waits at most before it is answered 503; 1000.', 1_000),
    timeouts: object(
      {
        connectMs: ms('Until a connection stands, with TLS; 5000.', 5_000),
        headMs: ms('From the end of the request to the whole head of the answer; 30000.', 30_000),
        bodyIdleMs: ms('The longest silence within a body that is no stream; 60000.', 60_000),
        uploadStartMs: ms(
          'How long a client may take for its body before 1024 bytes a second count; 30000.',
          30_000,
        ),
        tunnelIdleMs: ms('The longest silence of a WebSocket, in both directions; 300000.', 300_000),
      },
      'How long each phase may take; milliseconds.',
    ),
    retries: integer(
      { min: 0, max: 1, example: 1 },
      'How often a request is sent again where nobody can have acted on it twice: where no connection came about and there is another address, and where a connection that was kept broke before any byte of the answer and the method is idempotent. 1.',
    ),
    ejection: either(
      [
        not('No address is ever left out.'),
        object(
          {
            failures: integer(
              { min: 1, max: 1_000, example: 5 },
              'Failures in a row: no connection, no answer, or 502, 503, 504; 5.',
            ),
            firstMs: ms('How long the first time; it doubles; 10000.', 10_000),
            longestMs: ms('How long at most; 300000.', 300_000),
          },
          'When an address is left out.',
        ),
      ],
      'When an address that fails is left out: all but one where there is no answer, up to half for what they answer.',
    ),
    tls: object(
      {
        ca: file('The authorities that are trusted, PEM; in place of those that Node trusts.'),
        cert: file('The certificate chain by which the gateway shows who it is (mutual TLS), PEM.'),
        key: file('The private key of that certificate, PEM.'),
        serverName: text(
          {
            pattern: /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
            expected: 'a host name',
            mend: 'write the name that stands in the certificate, such as "api.internal"',
          },
          'The name that the certificate must be for; that of the URL.',
        ),
      },
      'TLS to https origins. Certificates are always verified.',
    ),
    keepAlive: oneOf(
      ['clean', 'all'],
      'Which connections carry another request: not those after a body that could itself be read as a request, nor after an answer without one ("clean"), or all of them, for an API that is known to read every body and to write nothing unasked ("all"). "clean".',
    ),
  },
  'An API.',
)

export const upstreamsSchema = record(NAME, upstreamSchema, 'The APIs behind the gateway, by name.')

export const routesSchema = record(
  {
    pattern: /^(?:[A-Z]+ )?\/\S*$/,
    expected: 'a path pattern',
    mend: 'write "/v1/*", or "GET /v1/users/:id"',
  },
  text(NAME, 'The name of an upstream.'),
  'Which paths are whose, as routes of the policy are written; the most specific wins, and what no route covers is answered 404. Left out where there is one upstream: it has every path.',
)

/** One upstream as it is written. Paths of files are seen from the working directory. */
export type UpstreamSetting = Infer<typeof upstreamSchema>
/** The upstreams by name. */
export type UpstreamsSetting = Infer<typeof upstreamsSchema>
/** The name of an upstream by path pattern. */
export type RoutesSetting = Infer<typeof routesSchema>

/**
 * Checks settings that no file brought.
 *
 * @throws PolicyError with every problem
 */
export function checkUpstreams(upstreams: UpstreamsSetting, routes: RoutesSetting | undefined): void {
  const problems: PolicyProblem[] = []
  upstreamsSchema.check(upstreams, 'upstreams', (found) => problems.push(found))
  if (routes !== undefined) routesSchema.check(routes, 'routes', (found) => problems.push(found))
  if (problems.length === 0) problems.push(...upstreamsProblems(upstreams, routes))
  if (problems.length > 0) throw new PolicyError(problems)
}

/** What is contradictory or can't work, in settings that have the right shape. */
export function upstreamsProblems(
  upstreams: UpstreamsSetting | undefined,
  routes: RoutesSetting | undefined,
): readonly PolicyProblem[] {
  const names = Object.keys(upstreams ?? {})
  const problems = names.flatMap((name) => ofUpstream(childPath('upstreams', name), upstreams![name]!))
  if (upstreams !== undefined && names.length === 0)
    problems.push(
      problem('upstreams', 'value', 'expected an upstream', upstreams, 'name one, or leave it out'),
    )
  if (routes !== undefined) problems.push(...ofRoutes(routes, names))
  else if (names.length > 1)
    problems.push(
      problem(
        'routes',
        'missing',
        'there are several upstreams, and nothing says which paths are whose',
        undefined,
        `write routes: { "/*": "${names[0]}" }, and a pattern for each of the others`,
      ),
    )
  return problems
}

function ofUpstream(at: string, setting: UpstreamSetting): PolicyProblem[] {
  const { urls = [], tls, ejection, connections = 1_024, connectionsPerClient = 1 } = setting
  const problems: PolicyProblem[] = []
  const say = (path: string, kind: PolicyProblem['kind'], what: string, received: unknown, mend: string) =>
    problems.push(problem(`${at}.${path}`, kind, what, received, mend))
  if (urls.length === 0) say('urls', 'missing', 'no URL here', undefined, 'write ["http://127.0.0.1:9000"]')
  const origins = new Map<string, string>()
  for (const [index, url] of urls.entries()) {
    try {
      const { origin } = upstreamOrigin(url)
      const same = origins.get(origin)
      if (same !== undefined)
        say(`urls[${index}]`, 'value', `the same address as ${same}`, url, 'remove one of them')
      origins.set(origin, `urls[${index}]`)
    } catch (error) {
      const [what = '', mend = ''] = (error as Error).message.replace(/^upstream: /, '').split('; ')
      // What was received stands in the message, where it may be shown.
      say(`urls[${index}]`, 'value', what, undefined, mend)
    }
  }
  if (tls !== undefined) {
    const plain = urls.findIndex((url) => !url.toLowerCase().startsWith('https:'))
    if (plain >= 0)
      say(`urls[${plain}]`, 'contradiction', 'there are settings for TLS', urls[plain], 'write https://')
    if ((tls.cert === undefined) !== (tls.key === undefined))
      say(
        'tls',
        'missing',
        tls.cert === undefined ? 'no cert here' : 'no key here',
        undefined,
        'name the certificate and its own key',
      )
  }
  if (ejection && (ejection.firstMs ?? 0) > (ejection.longestMs ?? Number.POSITIVE_INFINITY))
    say('ejection.firstMs', 'contradiction', 'longer than longestMs', ejection.firstMs, 'make it shorter')
  if (connectionsPerClient > connections)
    say(
      'connectionsPerClient',
      'contradiction',
      `more than the ${connections} of all clients together`,
      connectionsPerClient,
      'make it smaller',
    )
  return problems
}

function ofRoutes(routes: RoutesSetting, names: readonly string[]): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const shapes = new Map<string, string>()
  if (names.length === 0)
    problems.push(
      problem('routes', 'contradiction', 'there are no upstreams', undefined, 'name them in upstreams'),
    )
  for (const [key, name] of Object.entries(routes)) {
    const at = childPath('routes', key)
    const pattern = parsePattern(key)
    if (isPatternFault(pattern)) {
      problems.push(problem(at, 'route', pattern.message, key, pattern.mend))
      continue
    }
    if (names.length > 0 && !names.includes(name))
      problems.push(
        problem(at, 'value', 'there is no such upstream', name, `the upstreams are ${names.join(', ')}`),
      )
    const segments = pattern.segments.map((part) => (part.kind === 'static' ? part.text : `:${part.kind}`))
    const shape = `${pattern.method ?? ''} /${segments.join('/')}`
    const same = shapes.get(shape)
    if (same !== undefined)
      problems.push(problem(at, 'route', `covers the same paths as "${same}"`, undefined, 'keep one of them'))
    shapes.set(shape, key)
  }
  return problems
}
