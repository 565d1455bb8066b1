// Apache httpd: the rewrite module reads the request line as it was sent and marks the request with its cell; the
// headers module writes by that mark, in the table that errors use too.

import { BESIDE } from '../controls/cache/enforce.ts'
import { CANONICAL, looseRegex, methodRegex, pathRegex } from './paths.ts'
import type { Export, Limit, Plan } from './plan.ts'
import { CORS_NAMES, corsGroups, headerRows } from './tables.ts'

/** Writes lines for a virtual host (httpd 2.4 with mod_rewrite and mod_headers). */
export function apache(plan: Plan): Export {
  const limits = [...plan.limits, ...ownLimits(plan)]
  const lines = [
    `# ${plan.name}: written by sallyport export from the policy ${plan.digest}.`,
    '# Do not edit: change the policy and export again. For the virtual host.',
    '# What httpd can’t keep of this policy:',
    ...limits.map(({ control, what }) => `#   ${control}: ${what}`),
    ...request(plan),
    ...answers(plan),
  ]
  return { files: [{ name: 'sallyport-vhost.conf', text: `${lines.join('\n')}\n` }], limits }
}

const NO_CELL = 'RewriteCond %{ENV:SP_CELL} ^$'
const IS_PREFLIGHT = [
  'RewriteCond %{REQUEST_METHOD} ^OPTIONS$',
  'RewriteCond %{HTTP:Origin} .',
  'RewriteCond %{HTTP:Access-Control-Request-Method} .',
]

function mark(index: number): string {
  return `E=SP_CELL:${index},E=SP_C${index}:1`
}

function request(plan: Plan): string[] {
  const lines = [
    'AllowEncodedSlashes NoDecode',
    'MergeSlashes Off',
    'TraceEnable off',
    `LimitRequestLine ${plan.request.maxTargetBytes ?? 8_192}`,
    `LimitRequestFields ${plan.request.maxHeaderCount ?? 100}`,
    'RewriteEngine On',
    'RewriteCond %{THE_REQUEST} "^[^ ]+ ([^? ]*)"',
    'RewriteRule ^ - [E=SP_PATH:%1,E=SP_METHOD:%{REQUEST_METHOD}]',
    ...IS_PREFLIGHT,
    'RewriteRule ^ - [E=SP_METHOD:%{HTTP:Access-Control-Request-Method}]',
    `RewriteCond %{ENV:SP_PATH} "!${escaped(CANONICAL)}"`,
    `RewriteRule ^ - [${mark(plan.strict.index)}]`,
  ]
  for (const cell of plan.cells.filter(({ origin }) => origin === 'route')) {
    const start = `^${methodRegex(cell.method)} `
    const test = (expression: string, flags = '') =>
      `RewriteCond "%{ENV:SP_METHOD} %{ENV:SP_PATH}" "${escaped(start + expression.slice(1))}"${flags}`
    lines.push(
      NO_CELL,
      test(pathRegex(cell)),
      `RewriteRule ^ - [${mark(cell.index)}]`,
      NO_CELL,
      test(looseRegex(cell), ' [NC]'),
      `RewriteRule ^ - [${mark(plan.strict.index)}]`,
    )
  }
  lines.push(NO_CELL, `RewriteRule ^ - [${mark(plan.default.index)}]`)
  lines.push('RewriteCond %{HTTP:Authorization}%{HTTP:Cookie} .', 'RewriteRule ^ - [E=SP_CREDENTIAL:1]')
  lines.push(...origins(plan))
  if (plan.refusesOddPaths)
    lines.push(
      `RewriteCond %{ENV:SP_C${plan.strict.index}} ^1$`,
      `RewriteCond %{ENV:SP_PATH} "!${escaped(CANONICAL)}"`,
      'RewriteRule ^ - [R=400,L]',
    )
  return lines
}

function origins(plan: Plan): string[] {
  const lines: string[] = []
  for (const { number, rules, cells } of corsGroups(plan)) {
    const here = `RewriteCond %{ENV:SP_CELL} "^(?:${cells.map(({ index }) => index).join('|')})$"`
    lines.push(here, `RewriteRule ^ - [E=SP_CORS:${number},E=SP_CORS${number}:1]`)
    const listed = [
      ...rules.exact.map((origin) => `^${origin.replaceAll('.', '[.]')}$`),
      ...rules.patterns.map((pattern) => `^${pattern}$`),
    ]
    for (const expression of listed)
      lines.push(
        here,
        `RewriteCond %{HTTP:Origin} "${escaped(expression)}"`,
        'RewriteRule ^ - [E=SP_GRANT:listed,E=SP_LISTED:1,E=SP_ORIGIN:%{HTTP:Origin}]',
      )
    if (rules.open)
      lines.push(
        here,
        'RewriteCond %{HTTP:Origin} .',
        'RewriteCond %{ENV:SP_GRANT} ^$',
        'RewriteRule ^ - [E=SP_GRANT:open,E=SP_OPEN:1]',
      )
  }
  if (lines.length === 0) return []
  return [
    ...lines,
    'RewriteCond %{ENV:SP_CORS} .',
    ...IS_PREFLIGHT,
    'RewriteCond %{ENV:SP_GRANT} ^$',
    'RewriteRule ^ - [R=403,L]',
    'RewriteCond %{ENV:SP_GRANT} .',
    ...IS_PREFLIGHT,
    'RewriteRule ^ - [E=SP_PREFLIGHT:1,R=204,L]',
  ]
}

function answers(plan: Plan): string[] {
  const groups = corsGroups(plan)
  const rows = headerRows(plan)
  const caches = plan.cells.some(({ cache }) => cache !== undefined)
  const delegated = plan.cells.filter(({ cache }) => cache?.delegated).map(({ index }) => index)
  const gone = [
    ...plan.owned.filter((name) => name !== 'Cache-Control'),
    ...(caches ? BESIDE : []),
    ...(groups.length > 0 ? CORS_NAMES : []),
  ]
  // A proxied answer's lines are in another table than ours: both would be sent.
  const lines = gone.flatMap((name) => {
    const row = rows.find((each) => each.name === name)
    const passing = row ? row.passes.flatMap((passes, index) => (passes ? [index] : [])) : []
    const where = passing.length === 0 ? '' : ` "expr=!(${anyCell(passing)})"`
    return [`Header onsuccess unset ${name}${where}`]
  })
  for (const { name, same, byCell } of rows)
    if (same !== undefined) lines.push(`Header always set ${name} ${format(same)}`)
    else
      byCell.forEach((value, index) => {
        if (value !== undefined) lines.push(`Header always set ${name} ${format(value)} env=SP_C${index}`)
      })
  if (caches) {
    const where = delegated.length === 0 ? '' : ` "expr=!(${anyCell(delegated)})"`
    lines.push(`Header onsuccess unset Cache-Control${where}`, ...caching(plan))
  }
  if (groups.length > 0) lines.push(...corsLines(groups))
  return lines
}

function anyCell(indexes: readonly number[]): string {
  return indexes.map((index) => `reqenv('SP_C${index}') == '1'`).join(' || ')
}

function caching({ cells }: Plan): string[] {
  return cells.flatMap(({ index, cache }) => {
    if (cache === undefined) return []
    const here = `reqenv('SP_C${index}') == '1'`
    const set = (value: string, also: string) =>
      `Header always set Cache-Control ${format(value)} "expr=${here}${also}"`
    if (cache.delegated && !cache.shareable) return [set(cache.value, " && resp('Cache-Control') == ''")]
    if (!cache.shareable) return [set(cache.value, '')]
    return [
      set(cache.value, ''),
      ...(cache.anonymous ? [] : [set('no-store, private', " && reqenv('SP_CREDENTIAL') == '1'")]),
      set('no-store, private', " && resp('Set-Cookie') != ''"),
      set('no-store', ' && %{REQUEST_STATUS} -ge 400'),
    ]
  })
}

function corsLines(groups: ReturnType<typeof corsGroups>): string[] {
  const lines = [
    'Header always merge Vary Origin',
    'Header always set Access-Control-Allow-Origin "%{SP_ORIGIN}e" env=SP_LISTED',
    'Header always set Access-Control-Allow-Credentials true env=SP_LISTED',
    'Header always set Access-Control-Allow-Origin "*" env=SP_OPEN',
  ]
  for (const { number, rules } of groups) {
    const here = `reqenv('SP_CORS${number}') == '1' && reqenv('SP_GRANT') != ''`
    for (const [name, value] of rules.preflight)
      lines.push(`Header always set ${name} ${format(value)} "expr=${here} && reqenv('SP_PREFLIGHT') == '1'"`)
    if (rules.expose !== '')
      lines.push(
        `Header always set Access-Control-Expose-Headers ${format(rules.expose)} "expr=${here} && reqenv('SP_PREFLIGHT') != '1'"`,
      )
  }
  return lines
}

function ownLimits(plan: Plan): readonly Limit[] {
  const limits: Limit[] = [
    {
      control: 'headers',
      what: 'Answers to requests that httpd can’t read (400, 408, 414, 431) carry no line of the policy.',
    },
    {
      control: 'headers',
      what: '"Server: Apache" is sent; ServerTokens Prod leaves out its version, nothing leaves out the name.',
    },
    {
      control: 'request',
      what: 'httpd answers a path with %00, or with "%" and no two digits, by itself (400 or 404).',
    },
  ]
  if (plan.encrypted)
    limits.push({ control: 'transport', what: 'TLS is set by mod_ssl: SSLProtocol -all +TLSv1.3.' })
  return limits
}

// Between double quotes a backslash escapes the quote; httpd keeps every other backslash.
function escaped(value: string): string {
  if (/[^\x20-\x7e]/.test(value))
    throw new TypeError('only printable ASCII has a place in this configuration')
  return value.replaceAll('"', '\\"')
}

// "%" begins a format, a backslash an escape.
function format(value: string): string {
  return `"${escaped(value.replaceAll('\\', '\\\\').replaceAll('%', '%%'))}"`
}
