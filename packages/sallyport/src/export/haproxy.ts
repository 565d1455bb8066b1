// HAProxy: variables carry the cell from the request to the answer, and `http-after-response` puts the lines on every
// answer of a request that HAProxy could read, its own included.

import { BESIDE } from '../controls/cache/enforce.ts'
import { CANONICAL, looseRegex, methodRegex, pathRegex } from './paths.ts'
import type { Export, Limit, Plan } from './plan.ts'
import { CORS_NAMES, corsGroups, headerRows } from './tables.ts'

/** Writes the lines for a `frontend` section (HAProxy 2.6 or later, with PCRE2). */
export function haproxy(plan: Plan): Export {
  const limits = [...plan.limits, ...ownLimits(plan)]
  const lines = [
    `# ${plan.name}: written by sallyport export from the policy ${plan.digest}.`,
    '# Do not edit: change the policy and export again. For the frontend section, before its other rules.',
    '# What HAProxy can’t keep of this policy:',
    ...limits.map(({ control, what }) => `#   ${control}: ${what}`),
    ...[...request(plan), ...answers(plan)].map((line) => `    ${line}`),
  ]
  return { files: [{ name: 'sallyport-frontend.cfg', text: `${lines.join('\n')}\n` }], limits }
}

const IS_PREFLIGHT =
  '{ method OPTIONS } { req.hdr(origin) -m found } { req.hdr(access-control-request-method) -m found }'

function request(plan: Plan): string[] {
  const lines = [
    'http-request set-var(txn.sp_path) path',
    'http-request set-var(txn.sp_origin) req.hdr(origin)',
    'http-request set-var(txn.sp_method) method',
    `http-request set-var(txn.sp_method) req.hdr(access-control-request-method) if ${IS_PREFLIGHT}`,
    'http-request set-var(txn.sp_key) var(txn.sp_method),concat(" ",txn.sp_path)',
    `http-request set-var(txn.sp_cell) int(${plan.strict.index}) unless { var(txn.sp_path) -m reg ${regex(CANONICAL)} }`,
    ...(plan.refusesOddPaths
      ? [`http-request deny deny_status 400 if { ${isCell(plan.strict.index)} }`]
      : []),
  ]
  const first = 'if !{ var(txn.sp_cell) -m found }'
  for (const cell of plan.cells.filter(({ origin }) => origin === 'route')) {
    const method = `^${methodRegex(cell.method)} `
    lines.push(
      `http-request set-var(txn.sp_cell) int(${cell.index}) ${first} { var(txn.sp_key) -m reg ${regex(method + pathRegex(cell).slice(1))} }`,
      `http-request set-var(txn.sp_cell) int(${plan.strict.index}) ${first} { var(txn.sp_key) -m reg -i ${regex(method + looseRegex(cell).slice(1))} }`,
    )
  }
  lines.push(`http-request set-var(txn.sp_cell) int(${plan.default.index}) ${first}`)
  if (plan.cells.some(({ cache }) => cache?.shareable && !cache.anonymous))
    lines.push(
      'http-request set-var(txn.sp_credential) bool(true) if { req.hdr(authorization) -m found } || { req.hdr(cookie) -m found }',
    )
  return [...lines, ...origins(plan)]
}

function origins(plan: Plan): string[] {
  const groups = corsGroups(plan)
  if (groups.length === 0) return []
  const lines: string[] = []
  for (const { number, rules, cells } of groups) {
    const here = `{ ${isCell(...cells.map(({ index }) => index))} }`
    lines.push(`http-request set-var(txn.sp_cors) int(${number}) if ${here}`)
    const listed = [
      ...rules.exact.map((origin) => `{ var(txn.sp_origin) -m str ${quoted(origin)} }`),
      ...rules.patterns.map((pattern) => `{ var(txn.sp_origin) -m reg ${regex(`^${pattern}$`)} }`),
    ]
    for (const test of listed) lines.push(`http-request set-var(txn.sp_grant) str(listed) if ${here} ${test}`)
    if (rules.open)
      lines.push(
        `http-request set-var(txn.sp_grant) str(open) if ${here} { var(txn.sp_origin) -m found } !{ var(txn.sp_grant) -m found }`,
      )
  }
  return [
    ...lines,
    `http-request return status 403 if { var(txn.sp_cors) -m found } ${IS_PREFLIGHT} !{ var(txn.sp_grant) -m found }`,
    `http-request set-var(txn.sp_preflight) bool(true) if { var(txn.sp_grant) -m found } ${IS_PREFLIGHT}`,
    'http-request return status 204 if { var(txn.sp_preflight) -m found }',
  ]
}

function answers(plan: Plan): string[] {
  const rows = headerRows(plan)
  const sent = new Set(rows.map(({ name }) => name))
  const lines: string[] = plan.owned
    .filter((name) => !sent.has(name) && name !== 'Cache-Control')
    .map((name) => `http-after-response del-header ${name}`)
  for (const { name, same, byCell, passes } of rows) {
    if (same !== undefined) {
      lines.push(`http-after-response set-header ${name} ${format(same)}`)
      continue
    }
    const byValue = Map.groupBy(
      byCell
        .map((value, index) => ({ value, index }))
        .filter(({ value, index }) => value !== undefined || !passes[index]),
      ({ value }) => value,
    )
    for (const [value, cells] of byValue) {
      const here = `if { ${isCell(...cells.map(({ index }) => index))} }`
      lines.push(
        value === undefined
          ? `http-after-response del-header ${name} ${here}`
          : `http-after-response set-header ${name} ${format(value)} ${here}`,
      )
    }
  }
  return [...lines, ...caching(plan), ...corsLines(plan)]
}

function caching(plan: Plan): string[] {
  const lines = BESIDE.map((name) => `http-after-response del-header ${name}`)
  for (const { index, cache } of plan.cells) {
    if (cache === undefined) continue
    const here = `{ ${isCell(index)} }`
    const set = (value: string, when = '') =>
      lines.push(`http-after-response set-header Cache-Control ${format(value)} if ${here}${when}`)
    if (cache.delegated && !cache.shareable) {
      set(cache.value, ' !{ res.hdr(cache-control) -m found }')
      continue
    }
    set(cache.value)
    if (!cache.shareable) continue
    if (!cache.anonymous) set('no-store, private', ' { var(txn.sp_credential) -m found }')
    set('no-store, private', ' { res.hdr(set-cookie) -m found }')
    set('no-store', ' { status ge 400 }')
  }
  return plan.cells.some(({ cache }) => cache !== undefined) ? lines : []
}

function corsLines(plan: Plan): string[] {
  const groups = corsGroups(plan)
  if (groups.length === 0) return []
  const lines = CORS_NAMES.map((name) => `http-after-response del-header ${name}`)
  lines.push(
    'http-after-response add-header Vary Origin',
    'http-after-response set-header Access-Control-Allow-Origin %[var(txn.sp_origin)] if { var(txn.sp_grant) -m str listed }',
    'http-after-response set-header Access-Control-Allow-Credentials true if { var(txn.sp_grant) -m str listed }',
    'http-after-response set-header Access-Control-Allow-Origin "*" if { var(txn.sp_grant) -m str open }',
  )
  for (const { number, rules } of groups) {
    const here = `{ var(txn.sp_grant) -m found } { var(txn.sp_cors) -m int ${number} }`
    for (const [name, value] of rules.preflight)
      lines.push(
        `http-after-response set-header ${name} ${format(value)} if ${here} { var(txn.sp_preflight) -m found }`,
      )
    if (rules.expose !== '')
      lines.push(
        `http-after-response set-header Access-Control-Expose-Headers ${format(rules.expose)} if ${here} !{ var(txn.sp_preflight) -m found }`,
      )
  }
  return lines
}

function ownLimits(plan: Plan): readonly Limit[] {
  const limits: Limit[] = [
    {
      control: 'headers',
      what: 'Answers to requests that HAProxy can’t read (400, 408) carry no line of the policy.',
    },
    {
      control: 'request',
      what: 'Sizes of heads are set by tune.bufsize for the whole process, and bodies are not limited.',
    },
  ]
  if (plan.encrypted)
    limits.push({
      control: 'transport',
      what: 'TLS is set on the bind line: ssl-min-ver TLSv1.3 curves X25519:P-256:P-384.',
    })
  return limits
}

function isCell(...cells: readonly number[]): string {
  return `var(txn.sp_cell) -m int ${cells.join(' ')}`
}

// Between double quotes a backslash escapes itself, the quote and "$".
function quoted(value: string): string {
  if (/[^\x20-\x7e]/.test(value))
    throw new TypeError('only printable ASCII has a place in this configuration')
  return `"${value.replace(/[\\"$]/g, '\\$&')}"`
}

// The value of a header is a log format, in which "%" begins a variable.
function format(value: string): string {
  return quoted(value.replaceAll('%', '%%'))
}

function regex(expression: string): string {
  return quoted(expression)
}
