// Hosts that take a list of paths and headers: Next.js, Vercel, Netlify, Cloudflare Pages. They know neither status nor
// origin, so what depends on one of these is not theirs.

import type { Export, Limit, Plan, PlanCell } from './plan.ts'

/** A cell's path in a host's own patterns, and the headers that it can state. */
interface Rule {
  readonly id: string
  readonly cell: PlanCell
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** `next.config.js`: the part that `headers()` returns. */
export function nextjs(plan: Plan): Export {
  const entries = rulesOf(plan).map(({ cell, headers }) => ({
    source: nextSource(cell),
    headers: headers.map(([key, value]) => ({ key, value })),
  }))
  const body = JSON.stringify(entries, null, 2)
  const text = `${comment(plan, '//')}// Better: withSallyport() of sallyport/next, which also holds on the answers that these rules don't reach.
export const headers = async () => ${body}
export const poweredByHeader = false
`
  return { files: [{ name: 'sallyport.headers.mjs', text }], limits: limitsOf(plan, 'Next.js') }
}

/** `vercel.json`. */
export function vercel(plan: Plan): Export {
  const entries = rulesOf(plan).map(({ cell, headers }) => ({
    source: nextSource(cell),
    headers: headers.map(([key, value]) => ({ key, value })),
  }))
  const text = `${JSON.stringify({ $schema: 'https://openapi.vercel.sh/vercel.json', headers: entries }, null, 2)}\n`
  return { files: [{ name: 'vercel.json', text }], limits: limitsOf(plan, 'Vercel', true) }
}

/** Netlify's `_headers`. */
export function netlify(plan: Plan): Export {
  return headersFile(plan, 'Netlify', true)
}

/** Cloudflare's `_headers`, of Pages and of static assets. */
export function cloudflare(plan: Plan): Export {
  const made = headersFile(plan, 'Cloudflare', false)
  return { files: [...made.files, { name: 'worker.mjs', text: worker(plan) }], limits: made.limits }
}

// In a Worker the policy is enforced, not translated: this is the guard itself before an origin or the site's files.
function worker(plan: Plan): string {
  // A pattern of origins is checked against the list of public suffixes, which is no part of the guard.
  const hasPatterns = plan.cells.some(({ cors }) => (cors?.patterns.length ?? 0) > 0)
  return `${comment(plan, '//')}// With this Worker in front the limits of _headers don't hold: every answer that passes it carries the policy.
import { guard } from 'sallyport/fetch'
${hasPatterns ? "import 'sallyport/public-suffixes'\n" : ''}
const policy = ${JSON.stringify(plan.document, null, 2)}

export default {
  fetch: guard(policy, (request, env) => (env?.ASSETS ?? globalThis).fetch(request)),
}
`
}

function headersFile(plan: Plan, host: 'Netlify' | 'Cloudflare', notRun: boolean): Export {
  const rules = rulesOf(plan)
  const clashes: string[] = []
  const lines = rules.flatMap(({ id, cell, headers }) => {
    const below = rules.filter((other) => other.cell !== cell && covers(other.cell, cell))
    const own = headers.filter(([name, value]) => {
      const set = below.flatMap((other) =>
        other.headers.filter(([key]) => key === name).map(([, found]) => found),
      )
      if (set.length === 0) return true
      if (set.every((found) => found === value)) return false
      // Cloudflare can take a broader rule's line away; Netlify would send both values.
      if (host === 'Netlify') clashes.push(`${name} on ${id}`)
      return host === 'Cloudflare'
    })
    if (own.length === 0) return []
    return starPaths(cell).flatMap((path) => [
      path,
      ...own.flatMap(([name, value]) => [
        ...(host === 'Cloudflare' ? [`  ! ${name}`] : []),
        `  ${name}: ${value}`,
      ]),
      '',
    ])
  })
  const text = `${comment(plan, '#')}${lines.join('\n').trimEnd()}\n`
  return {
    files: [{ name: '_headers', text }],
    limits: [
      ...limitsOf(plan, host, notRun),
      {
        control: 'headers',
        what: `${host} applies these lines to files that it serves, not to the answers of functions.`,
      },
      ...(clashes.length === 0
        ? []
        : [
            {
              control: 'headers',
              what: `Where two rules cover a path Netlify sends the values of both, so the broader one alone is written: ${clashes.join(', ')}.`,
            },
          ]),
    ],
  }
}

// Whether every path of `inner` is one of `outer`: a wildcard at the end covers all that begins as it does.
function covers(outer: PlanCell, inner: PlanCell): boolean {
  if (outer.segments.length === 0) return true
  if (outer.segments.at(-1)?.kind !== 'wildcard') return false
  return outer.segments.slice(0, -1).every((segment, index) => {
    const other = inner.segments[index]
    if (other === undefined) return false
    if (segment.kind === 'param') return other.kind !== 'wildcard'
    return segment.kind === 'static' && other.kind === 'static' && segment.text === other.text
  })
}

// The least specific first: where several rules match, the last one's value stands.
function rulesOf(plan: Plan): readonly Rule[] {
  const cells = plan.cells.filter(
    ({ origin, method }) => origin !== 'strict' && (method === undefined || method === 'GET'),
  )
  return [...cells].reverse().map((cell) => ({
    id: cell.id,
    cell,
    headers: [...cell.headers, ...cacheLine(cell)],
  }))
}

// A shared value would also stand on errors and on answers with cookies, which these hosts can't tell apart; for
// answers that nobody may keep there is nothing to tell.
function cacheLine({ cache }: PlanCell): readonly (readonly [string, string])[] {
  return cache === undefined || cache.delegated || cache.shareable ? [] : [['Cache-Control', cache.value]]
}

// path-to-regexp: a parameter is one segment, `(.*)` the rest.
function nextSource({ segments }: PlanCell): string {
  if (segments.length === 0) return '/(.*)'
  return segments
    .map((segment) => {
      if (segment.kind === 'wildcard') return '/:rest*'
      return segment.kind === 'param'
        ? `/:${segment.name}`
        : `/${segment.text.replace(/[:()*+?{}\\]/g, '\\$&')}`
    })
    .join('')
}

// `*` matches any rest; the bare path needs a line of its own.
function starPaths({ segments }: PlanCell): readonly string[] {
  if (segments.length === 0) return ['/*']
  const path = segments
    .map((segment) =>
      segment.kind === 'wildcard'
        ? '/*'
        : segment.kind === 'param'
          ? `/:${segment.name}`
          : `/${segment.text}`,
    )
    .join('')
  return path.endsWith('/*') && path !== '/*' ? [path.slice(0, -2), path] : [path]
}

function comment(plan: Plan, mark: string): string {
  return `${mark} ${plan.name}: written by sallyport export from the policy ${plan.digest}.\n${mark} Do not edit: change the policy and export again.\n`
}

function limitsOf(plan: Plan, host: string, notRun = false): readonly Limit[] {
  const limits: Limit[] = [...plan.limits]
  if (notRun) limits.push({ control: 'headers', what: `This file was not run on ${host} by our tests.` })
  limits.push({
    control: 'headers',
    what: `Answers that ${host} makes before it looks at these rules carry none of them.`,
  })
  if (plan.cells.some(({ cors }) => cors !== undefined))
    limits.push({
      control: 'cors',
      what: 'Rules that depend on the origin can’t be written; cross-origin requests are left to the application.',
    })
  if (plan.cells.some(({ cache }) => cache?.shareable))
    limits.push({
      control: 'cache',
      what: 'Public data and assets get no Cache-Control: it would also stand on errors and on answers with cookies.',
    })
  if (plan.cells.some(({ method, origin }) => origin === 'route' && method !== undefined && method !== 'GET'))
    limits.push({
      control: 'headers',
      what: 'Routes of a method other than GET can’t be told from others of their path, and are left out.',
    })
  limits.push({ control: 'request', what: 'Paths with two readings and sizes are the host’s to judge.' })
  return limits
}
