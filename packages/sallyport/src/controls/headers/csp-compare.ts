// Which of two Content-Security-Policies is the stronger, kind by kind. Several policies hold together.

import type { Change, Strength } from '../../guard/control.ts'
import type { CspSetting } from './csp.ts'
import { grantOf, KINDS, surplus } from './csp-grants.ts'

/** Policies that hold at the same time; none of them is no restriction. */
export type Policies = readonly CspSetting[]

/**
 * Every difference that matters. Framing is left out: `framing.ts` judges it together with X-Frame-Options.
 *
 * @param name the header, as it stands in `what`
 */
export function compareCsp(
  before: Policies,
  after: Policies,
  name = 'contentSecurityPolicy',
): readonly Change[] {
  const grouped = new Map<string, { change: Omit<Change, 'what'>; kinds: string[] }>()
  const note = (kind: string, strength: Strength, because: string) => {
    const key = `${strength} ${because}`
    const group = grouped.get(key) ?? { change: { strength, because }, kinds: [] }
    group.kinds.push(kind)
    grouped.set(key, group)
  }
  for (const kind of Object.keys(KINDS)) {
    if (kind === 'frame-ancestors') continue
    judge(surplusOf(before, after, kind), surplusOf(after, before, kind), (strength, because) =>
      note(kind, strength, because),
    )
  }
  for (const [directive, lacks] of DOCUMENT_RULES)
    judge(lacks(before, after), lacks(after, before), (strength, because) =>
      note(directive, strength, because),
    )
  return [...grouped.values()].map(({ change, kinds }) => ({
    strength: change.strength,
    what: kinds.length === 1 ? `${name}.${kinds[0]}` : name,
    because: `${kinds.join(', ')}: ${change.because}`,
  }))
}

// What the later side newly allows, and what it allows no longer.
function judge(
  gained: string | undefined,
  lost: string | undefined,
  note: (strength: Strength, because: string) => void,
): void {
  if (gained === undefined && lost === undefined) return
  if (gained === undefined) note('stronger', `no longer: ${lost}`)
  else if (lost === undefined) note('weaker', `now ${gained}`)
  else note('incomparable', `now ${gained}; no longer: ${lost}`)
}

/** What `inner` lets happen and `outer` does not; a policy of `outer` is kept where one policy of `inner` keeps it. */
export function surplusOf(outer: Policies, inner: Policies, kind: string): string | undefined {
  const inners = inner.length === 0 ? [{}] : inner
  for (const policy of outer) {
    const wanted = grantOf(policy, kind)
    const each = inners.map((other) => surplus(wanted, grantOf(other, kind), kind))
    if (each.every((one) => one !== undefined)) return each[0]
  }
  return undefined
}

type Rule = readonly [directive: string, surplus: (outer: Policies, inner: Policies) => string | undefined]

// Each rule says what `inner` allows beyond `outer`.
const DOCUMENT_RULES: readonly Rule[] = [
  ['sandbox', (outer, inner) => wider(outer, inner, 'sandbox', (words) => new Set(words))],
  ['trusted-types', (outer, inner) => wider(outer, inner, 'trusted-types', trustedNames)],
  ['require-trusted-types-for', losing('require-trusted-types-for', 'a text may be assigned to a DOM sink')],
  ['upgrade-insecure-requests', losing('upgrade-insecure-requests', 'http: links are loaded in clear')],
  [
    'report-to',
    (outer, inner) => (reports(outer) && !reports(inner) ? 'a violation is reported to nobody' : undefined),
  ],
]

function losing(directive: string, sentence: string) {
  const has = (policies: Policies) => policies.some((csp) => csp[directive] !== undefined)
  return (outer: Policies, inner: Policies) => (has(outer) && !has(inner) ? sentence : undefined)
}

function reports(policies: Policies): boolean {
  return policies.some((csp) => csp['report-to'] !== undefined || csp['report-uri'] !== undefined)
}

// Both directives allow what they list; without them all is allowed.
function wider(
  outer: Policies,
  inner: Policies,
  directive: string,
  read: (words: readonly string[]) => ReadonlySet<string>,
): string | undefined {
  const setsOf = (policies: Policies) =>
    policies.flatMap((csp) => (csp[directive] === undefined ? [] : [read(csp[directive])]))
  const inners = setsOf(inner)
  for (const allowed of setsOf(outer)) {
    if (inners.length === 0) return `${directive} restricts nothing`
    const excesses = inners.map((words) =>
      [...words].find(
        (word) => !allowed.has(word) && !(allowed.has('*') && word !== "'allow-duplicates'" && word !== '*'),
      ),
    )
    if (excesses.every((word) => word !== undefined)) return `${excesses[0]} is allowed`
  }
  return undefined
}

function trustedNames(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.filter((word) => word !== "'none'"))
}
