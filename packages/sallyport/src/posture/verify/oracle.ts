// Says what must be seen, by asking enforcement itself: the policy is compiled as a guard compiles it, the request is
// put to it, and the lines that it would emit for the status that came are what the answer must carry.

import '../page/publish.ts'
import type { AuditSetting } from '../../controls/audit/setting.ts'
import { refusedBySuspicion } from '../../controls/audit/suspected.ts'
import { headerValues } from '../../controls/faces.ts'
import { spentBuckets } from '../../controls/limits/refusal.ts'
import type { LimitsSetting } from '../../controls/limits/setting.ts'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { replyFor } from '../../guard/answer.ts'
import { OWNED } from '../../guard/compile.ts'
import type { Mode, Needs, Observation, Place, ProbeRequest, Seen } from '../../guard/control.ts'
import type { Exchange, Incoming } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import { type ResolvedCell, type ResolvedPolicy, rules } from '../../guard/resolve.ts'
import { servicesFor, verdictNow } from '../../guard/services.ts'
import type { CounterVerdict } from '../../ports/counters.ts'
import { readRaw } from './raw-request.ts'

/** What one reading of a request asks of its answer. */
export interface Expectation {
  /** The cell's id. */
  readonly cell: string
  readonly settings: ResolvedCell['settings']
  readonly data: ResolvedCell['data']
  readonly exchange: Exchange
  /** What the guard itself answers; `undefined` where the application does. */
  readonly verdict:
    | { readonly control: string; readonly status: number; readonly denied: boolean }
    | undefined
  /** True where the request can't be read at all, so that some refusal must come. */
  readonly unreadable: boolean
  /** True where the answer is taken for the guard's own. */
  readonly answeredByGuard: boolean
  /** Every line that must stand, of the names that the policy owns. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** The names that the policy owns, in small letters, and the control of each. */
  readonly owners: ReadonlyMap<string, string>
  /** Field names that Vary must hold. */
  readonly vary: readonly string[]
  /** The code of the problem document that must be the body; `any` where only its shape is declared. */
  readonly problem: ErrorCode | 'any' | undefined
}

/** Asks enforcement. */
export interface Oracle {
  readonly policy: ResolvedPolicy
  /**
   * What may be seen; more than one where the request can be read in two ways. The first is the likeliest.
   *
   * @param shown true where a credential of a role was sent: what it opens only its server knows, so being let in may be
   * seen as well as being refused
   */
  expect(request: ProbeRequest, seen: Observation, shown?: boolean): readonly Expectation[]
  /** The id of the cell that judges the request. */
  cellOf(request: ProbeRequest): string
  /** True where it is refused because nobody knows who asks. */
  asksWhoCalls(request: ProbeRequest): boolean
}

/**
 * Makes the oracle of a policy.
 *
 * @param authority the value of Host
 * @param place where the policy runs; where nothing is said, a path that is not canonical may meet what it meets in a
 * gateway or what it meets inside an application
 */
export function createOracle(policy: ResolvedPolicy, authority: string, place: Place | undefined): Oracle {
  const needs: Needs = {
    clock: Date.now,
    random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    place: place ?? 'gateway',
    services: servicesFor({}),
    trial: {},
  }
  const guard = createGuard(policy, needs.place, { trial: {} })
  const inside = place === undefined ? createGuard(policy, 'node', { trial: {} }) : undefined
  const lettingIn = new Map<Guard, Guard>()
  const owners = new Map<string, ReadonlyMap<string, string>>()

  function ownersOf(cell: ResolvedCell): ReadonlyMap<string, string> {
    let known = owners.get(cell.id)
    if (known === undefined) {
      known = ownedNames(cell, needs)
      owners.set(cell.id, known)
    }
    return known
  }

  /** The same guard for callers whose credential opens everything. */
  function letIn(of: Guard): Guard {
    const known = lettingIn.get(of) ?? createGuard(withoutAccess(policy), of.place, { trial: {} })
    lettingIn.set(of, known)
    return known
  }

  function open(of: Guard, request: ProbeRequest, encrypted: boolean): Exchange | undefined {
    const parts = 'raw' in request ? readRaw(request.raw, authority) : request
    if (parts === undefined) return undefined
    return of.open(incomingOf(parts, 'raw' in request ? [] : [['Host', authority]], encrypted))
  }

  /** The reading in which the guard refuses for what only its server knows: a bucket is used up, the caller suspected. */
  function refusedByState(
    of: Guard,
    request: ProbeRequest,
    { verdict, settings }: Expectation,
    seen: Observation,
    shown: boolean,
  ): Expectation | undefined {
    if (verdict !== undefined && !AFTER_LIMITS.has(verdict.control)) return undefined
    const suspected = refusedBySuspicion(settings['audit'] as AuditSetting, seen)
    const spent =
      suspected === undefined && seen.status === 429
        ? spentBuckets(settings['limits'] as LimitsSetting, shown)
        : undefined
    if (suspected === undefined && spent === undefined) return undefined
    const exchange = open(of, request, seen.encrypted)
    const control = suspected === undefined ? LIMITS : SUSPECTS
    return (
      exchange &&
      expectation(of, exchange, seen, ownersOf, false, { control, status: seen.status, limits: spent })
    )
  }

  return {
    policy,
    expect(request, seen, shown = false) {
      const readings: Expectation[] = []
      const read = (of: Guard, exchange: Exchange, unreadable: boolean) => {
        const reading = expectation(of, exchange, seen, ownersOf, unreadable)
        readings.push(reading)
        const admitted =
          shown && isByAsking(reading.verdict) ? open(letIn(of), request, seen.encrypted) : undefined
        if (admitted) readings.push(expectation(letIn(of), admitted, seen, ownersOf, false))
        const limited = unreadable ? undefined : refusedByState(of, request, reading, seen, shown)
        if (limited) readings.push(limited)
      }
      const exchange = open(guard, request, seen.encrypted)
      if (exchange) read(guard, exchange, false)
      if (inside && exchange?.cell.origin === 'strict') {
        const other = open(inside, request, seen.encrypted)
        if (other) read(inside, other, false)
      }
      // A parser may refuse what we can read: then nobody has looked for its route.
      if (exchange === undefined || ('raw' in request && seen.status >= 400))
        read(guard, guard.unreadable({ peer: undefined, encrypted: seen.encrypted }), true)
      return readings
    },
    cellOf: (request) => open(guard, request, true)?.cell.id ?? guard.strict.id,
    asksWhoCalls(request) {
      const exchange = open(guard, request, true)
      return exchange !== undefined && isByAsking(verdictOf(guard, exchange))
    },
  }
}

// The controls that ask who calls, by name and register id.
const ASKING: Readonly<Record<string, string>> = { keys: 'SP-KEYS-01', access: 'SP-ACCESS-01' }

/** The controls that refuse for what only a server knows, by register id. */
export const LIMITS = 'SP-LIMITS-01'
export const SUSPECTS = 'SP-AUDIT-01'

/** A refusal for what only a server knows. */
interface Refused {
  readonly control: string
  readonly status: number
  readonly limits: CounterVerdict | undefined
}

// Whose verdicts a used-up bucket comes before; published pages are counted too.
const AFTER_LIMITS: ReadonlySet<string> = new Set([
  ...Object.values(ASKING),
  SUSPECTS,
  'SP-LOCKOUT-01',
  'SP-DISCLOSURE-01',
])

function isByAsking(verdict: Expectation['verdict']): boolean {
  return verdict?.denied === true && Object.values(ASKING).includes(verdict.control)
}

function withoutAccess(policy: ResolvedPolicy): ResolvedPolicy {
  const open = ({ settings }: ResolvedCell) =>
    Object.keys(ASKING).map((name) => [name, { ...(settings[name] as object), mode: 'off' }])
  const cells = policy.cells.map((cell) => ({
    ...cell,
    settings: { ...cell.settings, ...Object.fromEntries(open(cell)) },
  }))
  return { ...policy, cells }
}

function incomingOf(
  parts: {
    readonly method: string
    readonly path: string
    readonly headers: readonly (readonly [string, string])[]
    readonly httpVersion?: string
  },
  added: readonly (readonly [string, string])[],
  encrypted: boolean,
): Incoming {
  const headers = [
    ...added.filter(([name]) => !parts.headers.some(([key]) => key.toLowerCase() === name.toLowerCase())),
    ...parts.headers,
  ]
  return {
    method: parts.method,
    target: parts.path,
    httpVersion: parts.httpVersion ?? '1.1',
    rawHeaders: headers.flat(1),
    header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
    peer: undefined,
    encrypted,
  }
}

function verdictOf(guard: Guard, exchange: Exchange): Expectation['verdict'] {
  const verdict = verdictNow(guard.admit(exchange))
  if (verdict === undefined) return undefined
  return {
    control: exchange.decision?.control ?? 'SP-DISCLOSURE-01',
    status: replyFor(verdict, exchange).status,
    denied: verdict.kind === 'deny',
  }
}

function expectation(
  guard: Guard,
  exchange: Exchange,
  observed: Observation,
  ownersOf: (cell: ResolvedCell) => ReadonlyMap<string, string>,
  unreadable: boolean,
  refused?: Refused,
): Expectation {
  let verdict = unreadable ? undefined : verdictOf(guard, exchange)
  if (refused !== undefined) {
    verdict = { control: refused.control, status: refused.status, denied: true }
    exchange.limits = refused.limits ?? exchange.limits
  }
  const { compiled } = exchange.cell
  // A guard's cells are the resolved ones with their compiled form beside them.
  const cell = exchange.cell as typeof exchange.cell & ResolvedCell
  // Whether a page is still the same only its server can know.
  const unchanged = observed.status === 304 && verdict?.status === 200
  exchange.answeredByGuard = unreadable || unchanged || verdict?.status === observed.status
  const seen = seenIn(observed)
  const lines = [
    ...compiled.fixed.pairs,
    ...compiled.perAnswer.flatMap((line) => line(exchange, observed.status, seen).pairs),
  ].filter(([name]) => (compiled.names(name) & OWNED) !== 0)
  const shaped = ((cell.settings['errors'] as { readonly mode?: Mode }).mode ?? 'enforce') === 'enforce'
  const isRefusal = unreadable || (verdict?.denied === true && exchange.answeredByGuard)
  return {
    cell: cell.id,
    settings: cell.settings,
    data: cell.data,
    exchange,
    verdict: verdict && unchanged ? { ...verdict, status: observed.status } : verdict,
    unreadable,
    answeredByGuard: exchange.answeredByGuard,
    lines,
    owners: ownersOf(cell),
    vary: compiled.vary,
    problem: !shaped
      ? undefined
      : isRefusal
        ? 'any'
        : exchange.answeredByGuard
          ? undefined
          : compiled.replaceBody?.(observed.status, seen),
  }
}

// What the application said is not known from outside; what passed the policy is.
function seenIn(observed: Observation): Seen {
  return {
    get(name) {
      const found = headerValues(observed, name)
      return found.length === 0 ? undefined : found.join(', ')
    },
  }
}

function ownedNames(cell: ResolvedCell, needs: Needs): ReadonlyMap<string, string> {
  const owned = new Map<string, string>()
  for (const rule of rules) {
    const setting = cell.settings[rule.name] as { readonly mode?: Mode }
    // In report mode a control owns nothing.
    if ((setting.mode ?? 'enforce') !== 'enforce') continue
    const emit = rule.compile?.(setting as never, cell, needs).emit
    for (const name of emit?.owns ?? []) owned.set(name, rule.name)
    if ((emit?.vary ?? []).length > 0) owned.set('vary', rule.name)
  }
  return owned
}
