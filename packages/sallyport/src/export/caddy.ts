// Caddy: routes in its own JSON, since a Caddyfile can't make a header depend on the answer's status. They stand before
// the routes of a server, and once more among its error routes.

import { BESIDE } from '../controls/cache/enforce.ts'
import { CHARACTER, looseRegex, methodRegex, pathRegex } from './paths.ts'
import type { Export, Limit, Plan } from './plan.ts'
import { CORS_NAMES, corsGroups, headerRows } from './tables.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Writes routes for `apps.http.servers.*.routes` and `apps.http.servers.*.errors.routes` (Caddy 2.6 or later). */
export function caddy(plan: Plan): Export {
  const limits = [...plan.limits, ...ownLimits(plan)]
  // Deferred changes are made from the last handler to the first: what must prevail stands first.
  const routes = [
    ...maps(plan),
    ...corsHeaders(plan),
    ...caching(plan),
    ...headers(plan),
    ...removed(plan),
    ...refusals(plan),
  ]
  const text = `${JSON.stringify({ comment: `written by sallyport export from the policy ${plan.digest}`, limits: limits.map(({ control, what }) => `${control}: ${what}`), routes }, null, 2)}\n`
  return { files: [{ name: 'sallyport-routes.json', text }], limits }
}

const CELL = '{sallyport_cell}'
// What the first group of an expression matched.
const GROUP = `$\{1}`

// Several names in one matcher would mean any of them, so each condition is one name, made by a map where needed.
function when(name: string, ...values: readonly (string | number)[]): Json {
  return { [name]: values.map(String) }
}

function route(match: Json | undefined, ...handle: readonly Json[]): Json {
  return match === undefined ? { handle } : { match: [{ vars: match }], handle }
}

function setHeaders(set: Readonly<Record<string, string>>, require?: Json): Json {
  const values = Object.fromEntries(Object.entries(set).map(([name, value]) => [name, [literalValue(value)]]))
  return { handler: 'headers', response: { deferred: true, set: values, ...(require ? { require } : {}) } }
}

// Braces are placeholders, unless a backslash stands before them.
function literalValue(value: string): string {
  return value.replace(/[{}]/g, '\\$&')
}

type Mapping = {
  readonly input?: string
  readonly input_regexp?: string
  readonly outputs: readonly string[]
}

function map(source: string, destination: string, mappings: readonly Mapping[], fallback: string): Json {
  return {
    handler: 'map',
    source,
    destinations: [destination],
    mappings: mappings as never,
    defaults: [fallback],
  }
}

function maps(plan: Plan): Json[] {
  const asked =
    '{http.request.method} {http.request.header.Origin} {http.request.header.Access-Control-Request-Method}'
  const cells: Mapping[] = [{ input_regexp: '^1 ', outputs: [String(plan.strict.index)] }]
  for (const cell of plan.cells.filter(({ origin }) => origin === 'route')) {
    const start = `^0 ${methodRegex(cell.method)} `
    cells.push(
      { input_regexp: start + pathRegex(cell).slice(1), outputs: [String(cell.index)] },
      { input_regexp: `(?i)${start}${looseRegex(cell).slice(1)}`, outputs: [String(plan.strict.index)] },
    )
  }
  const groups = corsGroups(plan)
  return [
    route(
      undefined,
      map(
        '{http.request.orig_uri}',
        '{sallyport_path}',
        [{ input_regexp: '^([^?]*)', outputs: [GROUP] }],
        '',
      ),
      map(
        '{sallyport_path}',
        '{sallyport_odd}',
        [
          { input_regexp: '/[.]{1,2}(?:/|$)', outputs: ['1'] },
          { input_regexp: '%25[0-9A-Fa-f]{2}', outputs: ['1'] },
          { input_regexp: `^/(?:(?:${CHARACTER})+(?:/(?:${CHARACTER})+)*/?)?$`, outputs: ['0'] },
        ],
        '1',
      ),
      map(
        asked,
        '{sallyport_method}',
        [{ input_regexp: '^OPTIONS [^ ]+ ([A-Z]+)$', outputs: [GROUP] }],
        '{http.request.method}',
      ),
      map(asked, '{sallyport_announces}', [{ input_regexp: '^OPTIONS [^ ]+ [^ ]+$', outputs: ['1'] }], '0'),
      map('{sallyport_odd} {sallyport_method} {sallyport_path}', CELL, cells, String(plan.default.index)),
      ...(groups.length === 0
        ? []
        : [
            map(
              CELL,
              '{sallyport_cors}',
              groups.flatMap(({ number, cells: own }) =>
                own.map(({ index }) => ({ input: String(index), outputs: [String(number)] })),
              ),
              'none',
            ),
            map(
              '{sallyport_cors} {http.request.header.Origin}',
              '{sallyport_grant}',
              groups.flatMap(({ number, rules }) => [
                ...rules.exact.map((origin) => ({ input: `${number} ${origin}`, outputs: ['listed'] })),
                ...rules.patterns.map((pattern) => ({
                  input_regexp: `^${number} ${pattern}$`,
                  outputs: ['listed'],
                })),
                ...(rules.open ? [{ input_regexp: `^${number} .`, outputs: ['open'] }] : []),
              ]),
              'none',
            ),
            map(
              '{sallyport_announces} {sallyport_cors} {sallyport_grant}',
              '{sallyport_preflight}',
              [
                { input_regexp: '^1 [0-9]+ none$', outputs: ['denied'] },
                { input_regexp: '^1 [0-9]+ ', outputs: ['allowed'] },
              ],
              'no',
            ),
            map(
              '{sallyport_preflight} {sallyport_cors} {sallyport_grant}',
              '{sallyport_cors_answer}',
              [
                { input_regexp: '^allowed ([0-9]+) ', outputs: [`preflight ${GROUP}`] },
                { input_regexp: '^no ([0-9]+) (?:listed|open)$', outputs: [`actual ${GROUP}`] },
              ],
              'none',
            ),
          ]),
      ...(plan.cells.some(({ cache }) => cache?.shareable && !cache.anonymous)
        ? [
            map(
              '{http.request.header.Authorization}{http.request.header.Cookie}',
              '{sallyport_credential}',
              [{ input_regexp: '.', outputs: ['1'] }],
              '0',
            ),
            map(
              `${CELL} {sallyport_credential}`,
              '{sallyport_cell_credential}',
              [{ input_regexp: '(.*)', outputs: [GROUP] }],
              '',
            ),
          ]
        : []),
    ),
  ]
}

function corsHeaders(plan: Plan): Json[] {
  const groups = corsGroups(plan)
  if (groups.length === 0) return []
  const origin: Json = {
    handler: 'headers',
    response: {
      deferred: true,
      set: {
        'Access-Control-Allow-Origin': ['{http.request.header.Origin}'],
        'Access-Control-Allow-Credentials': ['true'],
      },
    },
  }
  return [
    route(when('{sallyport_grant}', 'listed'), origin),
    route(when('{sallyport_grant}', 'open'), setHeaders({ 'Access-Control-Allow-Origin': '*' })),
    ...groups.flatMap(({ number, rules }) => [
      route(
        when('{sallyport_cors_answer}', `preflight ${number}`),
        setHeaders(Object.fromEntries(rules.preflight)),
      ),
      ...(rules.expose === ''
        ? []
        : [
            route(
              when('{sallyport_cors_answer}', `actual ${number}`),
              setHeaders({ 'Access-Control-Expose-Headers': rules.expose }),
            ),
          ]),
    ]),
    route(undefined, { handler: 'headers', response: { deferred: true, add: { Vary: ['Origin'] } } }),
  ]
}

function caching({ cells }: Plan): Json[] {
  return cells.flatMap(({ index, cache }) => {
    if (cache === undefined) return []
    const here = (handler: Json) => route(when(CELL, index), handler)
    const say = (value: string, require?: Json) => setHeaders({ 'Cache-Control': value }, require)
    if (cache.delegated && !cache.shareable)
      return [here(say(cache.value, { headers: { 'Cache-Control': null } }))]
    if (!cache.shareable) return [here(say(cache.value))]
    return [
      here(say('no-store', { status_code: [4, 5] })),
      here(say('no-store, private', { headers: { 'Set-Cookie': ['*'] } })),
      ...(cache.anonymous
        ? []
        : [route(when('{sallyport_cell_credential}', `${index} 1`), say('no-store, private'))]),
      here(say(cache.value)),
    ]
  })
}

function headers(plan: Plan): Json[] {
  const rows = headerRows(plan)
  const same = rows.flatMap((row) => (row.same === undefined ? [] : [[row.name, row.same] as const]))
  const differing = rows
    .filter((row) => row.same === undefined)
    .flatMap(({ name, byCell, passes }) =>
      byCell.flatMap((value, index) => {
        if (value === undefined && passes[index]) return []
        const change = value === undefined ? remove([name]) : setHeaders({ [name]: value })
        return [route(when(CELL, index), change)]
      }),
    )
  return [
    ...differing,
    ...(same.length === 0 ? [] : [route(undefined, setHeaders(Object.fromEntries(same)))]),
  ]
}

function remove(names: readonly string[]): Json {
  return { handler: 'headers', response: { deferred: true, delete: names } }
}

function removed(plan: Plan): Json[] {
  const sent = new Set(headerRows(plan).map(({ name }) => name))
  const names = [
    ...plan.owned.filter((name) => !sent.has(name) && name !== 'Cache-Control'),
    ...(plan.cells.some(({ cache }) => cache !== undefined) ? BESIDE : []),
    ...(corsGroups(plan).length > 0 ? CORS_NAMES : []),
  ]
  return names.length === 0 ? [] : [route(undefined, remove(names))]
}

function refusals(plan: Plan): Json[] {
  const answer = (status: number): Json => ({ handler: 'static_response', status_code: status })
  return [
    ...(plan.refusesOddPaths ? [route(when('{sallyport_odd}', '1'), answer(400))] : []),
    ...(corsGroups(plan).length === 0
      ? []
      : [
          route(when('{sallyport_preflight}', 'denied'), answer(403)),
          route(when('{sallyport_preflight}', 'allowed'), answer(204)),
        ]),
  ]
}

function ownLimits(plan: Plan): readonly Limit[] {
  const limits: Limit[] = [
    {
      control: 'headers',
      what: 'Answers to requests that Go’s parser refuses (400, 431) carry no line of the policy.',
    },
    { control: 'request', what: 'Sizes of heads and bodies are not limited by these routes.' },
  ]
  if (plan.encrypted)
    limits.push({
      control: 'transport',
      what: 'TLS versions are set in the server’s tls_connection_policies: protocol_min tls1.3.',
    })
  return limits
}
