// What a mutation run came to, as a page: counts, every miss with its reason, every false alarm.

import { findingKinds } from '../../src/posture/findings.ts'
import type { VerifyFinding } from '../../src/posture/verify/result.ts'
import { groups } from './list.ts'
import type { Outcome } from './run.ts'

/** Of all mutations, at least so many must be found; of the unbroken servers, at most so many may have a finding. */
export const BARS = { found: 0.95, falseAlarms: 0.02 } as const

/** A server in which nothing is broken. */
export interface Unbroken {
  readonly name: string
  readonly findings: readonly VerifyFinding[]
  readonly of: number
}

/** The part that was found. */
export function foundPart(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ verdict }) => verdict === 'found').length / outcomes.length
}

/** The part of the unbroken that has a finding. */
export function alarmPart(unbroken: readonly Unbroken[]): number {
  return unbroken.filter(({ findings }) => findings.length > 0).length / unbroken.length
}

// Where the reason is known, by the beginning of the mutation's id.
const REASONS: readonly (readonly [prefix: string, reason: string])[] = [
  [
    'cors/gateway/methods/delete-added',
    'nothing is broken: `api` allows DELETE already, and a name that stands twice grants no more',
  ],
  ['transport/redirect-to-http', 'where a redirect leads is the application’s own'],
  [
    'errors/ok-in-place/error',
    'the list names the wrong control: it is the refusal that is lost, and that is what was named',
  ],
  [
    'weaker/x-frame-options/sameorigin',
    'nothing is weaker: browsers take `frame-ancestors` of the Content-Security-Policy, which still stands',
  ],
  [
    'rule-lost//v1/reports/*',
    'without the rule the answer is stricter than the floor that the route declares, which an application may be',
  ],
  [
    'weaker/x-request-id',
    'a constant id has the form of a fresh one; answers from a cache repeat theirs too',
  ],
  [
    'request/app/percent-broken',
    'the policy does not refuse it inside an application; the answer of the other reading was judged',
  ],
  ['request/app/refused-method-without-allow', '`Allow` is not a header that the policy owns'],
  ...['x-backend-server', 'x-served-by', 'x-aspnetcore-version'].map(
    (name) =>
      [
        `put-in/${name}`,
        'the policy does not name this header, and an application may have reasons to send it',
      ] as const,
  ),
]

function reasonOf({ mutation, verdict, findings }: Outcome): string {
  const known = REASONS.find(([prefix]) => mutation.id.startsWith(prefix))?.[1]
  if (known !== undefined) return known
  switch (verdict) {
    case 'never asked':
      return 'no request of the quick profile provokes this answer'
    case 'other control':
      return `something else was named: ${[...new Set(findings.map(({ id }) => id))].slice(0, 3).join(', ')}`
    default:
      return 'the answer was seen and taken for right'
  }
}

// Words of the catalogue that no mutation comes from, by what they are about.
const UNUSED: readonly (readonly [prefix: string, reason: string])[] = [
  ['cookie.', 'cookies are the application’s own; the list breaks a few of them'],
  ['ratelimit.', 'the list is older than the control'],
  ['drift.ratelimit', 'the list is older than the control'],
  ['drift.cookie', 'cookies are the application’s own; the list breaks a few of them'],
  ['auth.', 'the challenge is the application’s own'],
  ['redirect.', 'where a redirect leads is the application’s own'],
  ['csp.static-nonce', 'no policy of the run has nonces'],
  ['csp.legacy-header', 'put in as `drift.header-extra`'],
  ['header.deprecated', 'put in as `drift.header-extra`'],
  ['leak.', 'put in as `drift.header-extra`'],
  ['tenancy.', 'found in a database, by `tenancy check`'],
  ['backup.', 'found in a database, by `backup check`'],
  ['verify.unreachable', 'a matter of several replicas, which the run does not have'],
]

function percent(part: number): string {
  return `${(Math.floor(part * 1000) / 10).toFixed(1)} %`
}

const row = (...cells: readonly (string | number)[]) =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`

/** The page, in Markdown. */
export function reportOf(
  outcomes: readonly Outcome[],
  unbroken: readonly Unbroken[],
  about: { readonly date: string; readonly seconds: number; readonly node: string },
): string {
  const byId = new Map(outcomes.map((outcome) => [outcome.mutation.id, outcome]))
  const missed = outcomes.filter(({ verdict }) => verdict !== 'found')
  const used = new Set(outcomes.map(({ mutation }) => mutation.from))
  const alarms = unbroken.filter(({ findings }) => findings.length > 0)
  const probes = unbroken.reduce((sum, { of }) => sum + of, 0)
  return `# The mutation run

A server that keeps its policy is broken in one way at a time, and \`verify\` is asked: \`npm run test:long\` writes this page.
The list was made from the finding catalogue and the kinds of answers, before anybody looked at what is found. A proxy of
its own breaks the bytes between the server and \`verify\`; a mutation counts as found where a finding names the control
that was broken, in the quick profile. Over HTTP/2 the answer is changed as it comes in, and the listener whose TLS is broken
is the proxy's.

\`verify\` has learnt from this list: 38 of those found were missed in the first run, before look-alike origins, malformed
lengths and names, more spellings of paths, grants on errors, the fields of security.txt, \`no-store\` with an argument, cookies,
repeated ids and foreign authorities were asked for; a false alarm on the case of header names was mended too. The list itself is unchanged since, mistakes included.

${row('date', 'mutations', 'found', 'bar', 'unbroken servers', 'with a false alarm', 'bar', 'seconds', 'Node')}
${row(...Array.from({ length: 9 }, () => '---'))}
${row(
  about.date,
  outcomes.length,
  `${outcomes.length - missed.length} (${percent(foundPart(outcomes))})`,
  `≥ ${percent(BARS.found)}`,
  unbroken.length,
  `${alarms.length} (${percent(alarmPart(unbroken))})`,
  `≤ ${percent(BARS.falseAlarms)}`,
  about.seconds,
  about.node,
)}

The servers: an Express app under \`recommended\`, the gateway with TLS under \`api\`, and plain node:http under a policy with
a rule for each of eight routes. The unbroken ones are these, the same app on every framework under every preset, and
these with changes that mean nothing (lines in another order, names in other letters, lines of a CDN). On them ${probes} probes
were judged.

## By group

${row('group', 'mutations', 'found')}
${row('---', '---', '---')}
${Object.entries(groups)
  .map(([name, list]) => {
    const own = list.flatMap(({ id }) => byId.get(id) ?? [])
    return row(name, own.length, own.filter(({ verdict }) => verdict === 'found').length)
  })
  .join('\n')}

## Every miss

${
  missed.length === 0
    ? 'None.'
    : `${row('mutation', 'control', 'from the catalogue', 'why')}
${row('---', '---', '---', '---')}
${missed
  .map((outcome) => {
    const { id, controls, from } = outcome.mutation
    return row(`\`${id}\``, controls.join(', '), from, reasonOf(outcome))
  })
  .join('\n')}`
}

## Every false alarm

${
  alarms.length === 0
    ? 'None.'
    : `${row('server', 'finding', 'where')}
${row('---', '---', '---')}
${alarms.flatMap(({ name, findings }) => findings.map((each) => row(name, each.id, `${each.class} ${each.cell}: ${each.detail}`))).join('\n')}`
}

## Words of the catalogue without a mutation

${row('word', 'why')}
${row('---', '---')}
${[...findingKinds.keys()]
  .filter((id) => !used.has(id))
  .map((id) =>
    row(`\`${id}\``, UNUSED.find(([prefix]) => id.startsWith(prefix))?.[1] ?? 'the list has none for it'),
  )
  .join('\n')}
`
}
