// nginx: everything hangs on maps from the request to its cell, so no `location` is needed, and none of its precedence
// and inheritance traps is met. Two files: one for the http context, one to include in the server block.

import { BESIDE } from '../controls/cache/enforce.ts'
import { CANONICAL, looseRegex, methodRegex, pathRegex } from './paths.ts'
import type { Export, Limit, Plan } from './plan.ts'
import { CORS_NAMES, corsGroups, headerRows } from './tables.ts'

/** Writes nginx configuration (1.22 or later, with the map, proxy and headers modules that every build has). */
export function nginx(plan: Plan): Export {
  const head = [
    `# ${plan.name}: written by sallyport export from the policy ${plan.digest}.`,
    '# Do not edit: change the policy and export again.',
  ]
  const limits = [...plan.limits, ...ownLimits(plan)]
  const said = [
    '# What nginx can’t keep of this policy:',
    ...limits.map(({ control, what }) => `#   ${control}: ${what}`),
  ]
  return {
    files: [
      {
        name: 'sallyport-http.conf',
        text: text([...head, '# For the http context.', ...said, '', ...httpPart(plan)]),
      },
      {
        name: 'sallyport-server.conf',
        text: text([
          ...head,
          '# For the server block. A location with an add_header of its own inherits none of these: leave them out there.',
          '',
          ...serverPart(plan),
        ]),
      },
    ],
    limits,
  }
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

function httpPart(plan: Plan): string[] {
  const lines: string[] = [
    '# A "$" can’t be written in a text.',
    'geo $sallyport_dollar { default "$"; }',
    'map $request_uri $sallyport_path { default ""; "~^(?<sallyport_raw>[^?]*)" $sallyport_raw; }',
    `map $sallyport_path $sallyport_odd { default 1; ${regex(CANONICAL)} 0; }`,
    '# A preflight is judged as the request that it announces.',
    'map "$request_method $http_origin $http_access_control_request_method" $sallyport_method {',
    '  default $request_method;',
    '  "~^OPTIONS [^ ]+ (?<sallyport_asked>[A-Z]+)$" $sallyport_asked;',
    '}',
    'map "$request_method $http_origin $http_access_control_request_method" $sallyport_is_preflight {',
    '  default 0;',
    '  "~^OPTIONS [^ ]+ [^ ]+$" 1;',
    '}',
    'map "$sallyport_odd $sallyport_method $sallyport_path" $sallyport_cell {',
    `  default ${plan.default.index};`,
    `  "~^1 " ${plan.strict.index};`,
  ]
  for (const cell of plan.cells.filter(({ origin }) => origin === 'route')) {
    const method = methodRegex(cell.method)
    lines.push(`  # ${comment(cell.id)}`)
    lines.push(`  ${regex(`^0 ${method} ${pathRegex(cell).slice(1)}`)} ${cell.index};`)
    lines.push(`  ${regex(`^0 ${method} ${looseRegex(cell).slice(1)}`, '~*')} ${plan.strict.index};`)
  }
  lines.push('}', ...headerMaps(plan), ...cacheMaps(plan), ...corsMaps(plan))
  return lines
}

function headerMaps(plan: Plan): string[] {
  return headerRows(plan)
    .filter(({ same }) => same === undefined)
    .flatMap(({ name, byCell, passes }) => [
      `map $sallyport_cell ${variable(name)} {`,
      '  default "";',
      ...byCell.flatMap((value, index) => {
        if (value !== undefined) return [`  ${index} ${quoted(value)};`]
        return passes[index] ? [`  ${index} ${upstreamVariable(name)};`] : []
      }),
      '}',
    ])
}

// What a shared cache may keep: never an error, never a cookie, and nothing that was asked for with a credential.
function cacheMaps(plan: Plan): string[] {
  if (!plan.cells.some(({ cache }) => cache !== undefined)) return []
  const lines = [
    'map "$http_authorization$http_cookie" $sallyport_shows_credential { default 1; "" 0; }',
    'map $upstream_http_set_cookie $sallyport_sets_cookie { default 1; "" 0; }',
    'map "$sallyport_cell:$status:$sallyport_sets_cookie:$sallyport_shows_credential" $sallyport_class_cache {',
    '  default "";',
  ]
  for (const { index, cache } of plan.cells) {
    if (cache === undefined) continue
    if (cache.shareable) {
      lines.push(`  "~^${index}:[45]" "no-store";`, `  "~^${index}:[0-9]+:1:" "no-store, private";`)
      if (!cache.anonymous) lines.push(`  "~^${index}:[0-9]+:0:1" "no-store, private";`)
    }
    lines.push(`  "~^${index}:" ${quoted(cache.value)};`)
  }
  lines.push('}')
  const delegated = plan.cells.filter(({ cache }) => cache?.delegated).map(({ index }) => index)
  lines.push(
    'map "$sallyport_cell:$upstream_http_cache_control" $sallyport_cache {',
    '  default $sallyport_class_cache;',
  )
  for (const index of delegated) lines.push(`  "~^${index}:." $upstream_http_cache_control;`)
  lines.push('}')
  return lines
}

function corsMaps(plan: Plan): string[] {
  const groups = corsGroups(plan)
  if (groups.length === 0) return []
  const grants = [
    'map $sallyport_cell $sallyport_cors_group {',
    '  default "";',
    ...groups.flatMap(({ number, cells }) => cells.map(({ index }) => `  ${index} ${number};`)),
    '}',
    '# listed, open, or nothing.',
    'map "$sallyport_cors_group $http_origin" $sallyport_grant {',
    '  default "";',
  ]
  for (const { number, rules } of groups) {
    for (const origin of rules.exact) grants.push(`  ${quoted(`${number} ${origin}`)} listed;`)
    for (const pattern of rules.patterns) grants.push(`  ${regex(`^${number} ${pattern}$`)} listed;`)
    if (rules.open) grants.push(`  "~^${number} ." open;`)
  }
  grants.push('}')
  return [
    ...grants,
    `map $sallyport_grant ${variable('Access-Control-Allow-Origin')} { default ""; listed $http_origin; open "*"; }`,
    `map $sallyport_grant ${variable('Access-Control-Allow-Credentials')} { default ""; listed "true"; }`,
    'map "$sallyport_is_preflight:$sallyport_grant:$sallyport_cors_group" $sallyport_preflight {',
    '  default "";',
    '  "~^1::[0-9]" denied;',
    '  "~^1:.+:[0-9]" allowed;',
    '}',
    ...preflightMaps(groups),
  ]
}

function preflightMaps(groups: ReturnType<typeof corsGroups>): string[] {
  const names = ['Access-Control-Allow-Methods', 'Access-Control-Allow-Headers', 'Access-Control-Max-Age']
  const lines = names.flatMap((name) => [
    `map "$sallyport_preflight:$sallyport_cors_group" ${variable(name)} {`,
    '  default "";',
    ...groups.flatMap(({ number, rules }) => {
      const value = rules.preflight.find(([key]) => key === name)?.[1]
      return value === undefined ? [] : [`  "allowed:${number}" ${quoted(value)};`]
    }),
    '}',
  ])
  return [
    ...lines,
    `map "$sallyport_preflight:$sallyport_grant:$sallyport_cors_group" ${variable('Access-Control-Expose-Headers')} {`,
    '  default "";',
    ...groups.flatMap(({ number, rules }) =>
      rules.expose === '' ? [] : [`  "~^:.+:${number}$" ${quoted(rules.expose)};`],
    ),
    '}',
  ]
}

function serverPart(plan: Plan): string[] {
  const groups = corsGroups(plan)
  const hidden = new Set([
    ...plan.owned,
    ...(plan.cells.some(({ cache }) => cache !== undefined) ? ['Cache-Control', ...BESIDE] : []),
    ...(groups.length > 0 ? CORS_NAMES : []),
  ])
  const sizes = plan.cells.map(({ maxBodyBytes }) => maxBodyBytes)
  const bodyLimit = sizes.every((size) => size !== undefined) ? Math.max(...(sizes as number[])) : 0
  return [
    'server_tokens off;',
    'merge_slashes off;',
    'ignore_invalid_headers on;',
    'underscores_in_headers off;',
    `large_client_header_buffers 4 ${plan.request.maxTargetBytes ?? 8_192};`,
    `client_max_body_size ${bodyLimit};`,
    ...(plan.encrypted
      ? ['ssl_protocols TLSv1.3;', 'ssl_ecdh_curve X25519:prime256v1:secp384r1;', 'ssl_session_tickets off;']
      : []),
    ...Array.from(hidden, (name) => `proxy_hide_header ${name};`),
    ...headerRows(plan).map(
      ({ name, same }) => `add_header ${name} ${same === undefined ? variable(name) : quoted(same)} always;`,
    ),
    ...(plan.cells.some(({ cache }) => cache !== undefined)
      ? ['add_header Cache-Control $sallyport_cache always;']
      : []),
    ...(groups.length > 0
      ? [
          ...CORS_NAMES.slice(0, 6).map((name) => `add_header ${name} ${variable(name)} always;`),
          'add_header Vary Origin always;',
        ]
      : []),
    ...(plan.refusesOddPaths ? ['if ($sallyport_odd) { return 400; }'] : []),
    ...(groups.length > 0
      ? [
          'if ($sallyport_preflight = denied) { return 403; }',
          'if ($sallyport_preflight = allowed) { return 204; }',
        ]
      : []),
  ]
}

function ownLimits(plan: Plan): readonly Limit[] {
  const limits: Limit[] = [
    {
      control: 'headers',
      what: 'Answers of nginx’s own parser (400, 408, 414, 431 and the like) carry no line of the policy.',
    },
    {
      control: 'headers',
      what: '"Server: nginx" is sent; only a module that is not in every build removes it.',
    },
  ]
  if (plan.cells.some(({ cache, origin }) => cache && !cache.delegated && origin === 'default'))
    limits.push({
      control: 'cache',
      what: 'Where the application may set Cache-Control above a floor, the value of the class is sent instead.',
    })
  if (new Set(plan.cells.map(({ maxBodyBytes }) => maxBodyBytes)).size > 1)
    limits.push({
      control: 'request',
      what: 'One limit holds for all bodies: the largest of the policy, or none.',
    })
  return limits
}

function upstreamVariable(name: string): string {
  return `$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`
}

function variable(name: string): string {
  return `$sallyport_${name.toLowerCase().replaceAll('-', '_')}`
}

const DOLLAR = `$\{sallyport_dollar}`

// In a quoted text "\\" and '"' are escaped, and a variable stands for "$".
function quoted(value: string): string {
  if (/[\x00-\x1f\x7f]/.test(value))
    throw new TypeError('a control character has no place in a configuration')
  return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('$', DOLLAR)}"`
}

function regex(expression: string, kind: '~' | '~*' = '~'): string {
  return `"${kind}${expression.replace(/[\\"]/g, '\\$&')}"`
}

function comment(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?')
}
