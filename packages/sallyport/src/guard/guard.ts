// The guard: a compiled policy. It finds a request's cell, judges the request, and knows what every answer carries.

import { requestRule } from '../controls/request/rule.ts'
import type { ErrorCode } from '../errors/catalogue.ts'
import type { Services } from '../ports/services.ts'
import { type Cell, mayBeWellKnown } from './cell.ts'
import { type AdmitFace, compileCell, type Denied } from './compile.ts'
import type { EmitStage, Identify, Judgement, Mode, Needs, Place, Stage, Trial, Verdict } from './control.ts'
import { Exchange, type Incoming } from './exchange.ts'
import { NO_LINES } from './lines.ts'
import { cellLocator } from './locate.ts'
import type { PolicyDocument } from './policy.ts'
import { type Pages, pagesFor } from './publish.ts'
import { admitOrder, emitOrder } from './register.ts'
import { type ResolvedCell, type ResolvedPolicy, resolvePolicy, rules, strictlyBoth } from './resolve.ts'
import { requireServices, servicesFor } from './services.ts'
import { actionOf, teller } from './telling.ts'

/** What a guard may be given from outside; each has a default. */
export interface GuardOptions {
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
  /** Fills an array with random bytes; `crypto.getRandomValues`. */
  readonly random?: (bytes: Uint8Array) => Uint8Array
  /** Told of each thing that a control in report mode would have done. */
  readonly onWouldDo?: (would: WouldDo) => void
  /** What controls need from outside: places that count, records of keys, a log. */
  readonly services?: Services
  /** Where the policy is only tried: nothing is looked up, counted or told, and `admit` answers at once. */
  readonly trial?: Trial
}

/** What a control in report mode would have done to one request. */
export interface WouldDo {
  /** Its register id. */
  readonly control: string
  /** The code of the refusal, the status of an answer, the owned header or `body:` and a code. */
  readonly what: string
  /** The id of the policy's cell. */
  readonly cell: string
  /** Absent where only the answer is known. */
  readonly exchange: Exchange | undefined
}

/** A compiled policy. */
export interface Guard {
  readonly policy: ResolvedPolicy
  readonly place: Place
  /** The cell of paths that are not canonical, and of requests that could not be read. */
  readonly strict: Cell
  /** Every cell, as in `policy.cells`. */
  readonly cells: readonly Cell[]
  /** Finds the request's cell. */
  open(incoming: Incoming): Exchange
  /** The exchange of a request that could not be read. */
  unreadable(connection: Pick<Incoming, 'peer' | 'encrypted'>): Exchange
  /** Judges the request: `undefined` lets it pass. A promise only where something has to be looked up. */
  admit(exchange: Exchange): Judgement
  /** Tells the log of a refusal that no control gave: by the parser, by a body that turned out too long. */
  refused(exchange: Exchange, code: ErrorCode): void
  /**
   * What controls in report mode would have done: `SP-CORS-01 origin_not_allowed /v1/*` (denied),
   * `SP-HEADERS-01 x-frame-options /v1/*` (changed) → times.
   */
  readonly wouldDo: ReadonlyMap<string, number>
}

/**
 * Compiles a policy.
 *
 * @throws PolicyError where the policy is wrong
 */
export function createGuard(
  policy: PolicyDocument | ResolvedPolicy,
  place: Place,
  options: GuardOptions = {},
): Guard {
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  const needs: Needs = {
    clock: options.clock ?? Date.now,
    random: options.random ?? ((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)),
    place,
    services: servicesFor(options.services ?? {}),
    ...(options.trial ? { trial: options.trial } : {}),
  }
  if (options.trial === undefined) requireServices(resolved, needs.services, place)
  const wouldDo = new Map<string, number>()
  const { onWouldDo } = options
  const compiler = cellCompiler(needs, (control, what, cell, exchange) => {
    count(wouldDo, `${control} ${what} ${cell}`)
    onWouldDo?.({ control, what, cell, exchange })
  })
  const tell = refusalTeller(needs)
  const pages = pagesFor(resolved, place, needs.clock, options.trial !== undefined)
  const cells = resolved.cells.map((cell): Cell => ({ ...cell, compiled: compiler(cell) }))
  const strict = cells.at(-1)!
  const fallbackIndex = cells.length - 2

  // Made when such a path is first asked for; at most one for each two cells of the policy, and they share their
  // compiled form with all others of their kind.
  const doubtful = new Map<string, Cell>()

  function strictlyBothOf(first: number, second: number): Cell {
    if (first === fallbackIndex && second === fallbackIndex) return strict
    const key = `${first} ${second}`
    let cell = doubtful.get(key)
    if (cell === undefined) {
      const both = strictlyBoth(resolved.cells[first]!, resolved.cells[second]!)
      cell = { ...both, compiled: compiler(both) }
      doubtful.set(key, cell)
    }
    return cell
  }

  // Most requests ask for few paths. The memory is small, and so are the paths in it: a caller that fills it only
  // makes itself be looked up like everybody else.
  const recent = new Map<string, Cell>()

  function cellOf(method: string, path: string): Cell {
    if (method !== 'GET' || path.length > RECENT_PATH) return findCell(method, path)
    const known = recent.get(path)
    if (known !== undefined) return known
    const cell = findCell(method, path)
    if (recent.size < RECENT) recent.set(path, cell)
    return cell
  }

  const findCell = cellLocator(resolved.cells, (index) => cells[index]!, strictlyBothOf)

  return {
    policy: resolved,
    place,
    strict,
    cells,
    wouldDo,
    open(incoming) {
      const target = originForm(incoming.target)
      const query = target.indexOf('?')
      const path = query < 0 ? target : target.slice(0, query)
      // A preflight is judged as the request that it announces (Fetch standard, CORS-preflight fetch). Without Origin
      // it is none, and must not choose its cell.
      const method =
        incoming.method === 'OPTIONS' && incoming.header('origin') !== undefined
          ? (incoming.header('access-control-request-method') ?? incoming.method)
          : incoming.method
      return new Exchange(incoming, cellOf(method, path), path, target)
    },
    unreadable: (connection) => new Exchange({ ...UNREAD, ...connection }, strict, '', ''),
    admit: (exchange) => judgeFrom(exchange, 0, pages, tell),
    refused: (exchange, code) => tell(exchange, requestRule.id, code),
  }
}

type TellRefusal = (exchange: Exchange, control: string, code: ErrorCode) => void

/** Tells of a refusal what its control says of itself. */
function refusalTeller(needs: Needs): TellRefusal {
  const tell = teller(needs)
  const byId = new Map(rules.map(({ id, tells }) => [id, tells]))
  return (exchange, control, code) => {
    const action = actionOf(byId.get(control), code)
    if (action !== undefined) tell(exchange, action, { control, code })
  }
}

function judgeFrom(exchange: Exchange, from: number, pages: Pages | undefined, tell: TellRefusal): Judgement {
  const { admit, admitIds } = exchange.cell.compiled
  for (let i = from; i < admit.length; i++) {
    const verdict = admit[i]!(exchange)
    if (verdict === undefined) continue
    if (verdict instanceof Promise)
      return verdict.then((late) =>
        late === undefined
          ? judgeFrom(exchange, i + 1, pages, tell)
          : settle(exchange, admitIds[i]!, late, tell),
      )
    return settle(exchange, admitIds[i]!, verdict, tell)
  }
  return pages?.(exchange)
}

function settle(
  exchange: Exchange,
  control: string,
  verdict: NonNullable<Verdict>,
  tell: TellRefusal,
): Judgement {
  const { denied } = exchange.cell.compiled
  if (verdict.kind === 'deny') tell(exchange, control, verdict.code)
  if (denied === undefined || verdict.kind !== 'deny') return decide(exchange, control, verdict)
  const own = denied.hear(exchange)
  const decided = (other: Verdict): Verdict =>
    other === undefined ? decide(exchange, control, verdict) : decide(exchange, denied.control, other)
  return own instanceof Promise ? own.then(decided) : decided(own)
}

function decide(exchange: Exchange, control: string, verdict: NonNullable<Verdict>): Verdict {
  exchange.decision = { control, verdict }
  return verdict
}

const RECENT = 512
const RECENT_PATH = 128

const UNREAD = { method: '', target: '', httpVersion: '', rawHeaders: [], header: () => undefined }

/** The path and query of an absolute-form target (RFC 9112, section 3.2.2); every other target as it is. */
function originForm(target: string): string {
  if (target.charCodeAt(0) === 47) return target
  const match = /^https?:\/\/[^/?#]*/i.exec(target)
  if (!match) return target
  const rest = target.slice(match[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

// Cells of equal settings share their compiled form: 10,000 routes are usually a handful of kinds.
type Would = (control: string, what: string, cell: string, exchange: Exchange | undefined) => void

function cellCompiler(needs: Needs, would: Would) {
  const byKind = new Map<string, Map<string, Stage>>()
  const compiledByKind = new Map<string, Cell['compiled']>()
  return (cell: ResolvedCell): Cell['compiled'] => {
    const kind = JSON.stringify([
      cell.data,
      cell.credentials,
      cell.origin,
      mayBeWellKnown(cell),
      cell.settings,
    ])
    const reports = rules.some((control) => modeOf(cell, control.name) === 'report')
    const known = reports ? undefined : compiledByKind.get(kind)
    if (known) return known
    let stages = byKind.get(kind)
    if (!stages) {
      stages = new Map()
      for (const control of rules) {
        if (modeOf(cell, control.name) === 'off') continue
        const stage = control.compile?.(cell.settings[control.name] as never, cell, needs)
        if (stage) stages.set(control.name, stage)
      }
      byKind.set(kind, stages)
    }
    const admit: NonNullable<Stage['admit']>[] = []
    const admitIds: string[] = []
    const admitFaces: AdmitFace[] = []
    for (const [name, face] of admitOrder) {
      const step = stages.get(name)?.[face]
      if (!step) continue
      const id = rules.find((control) => control.name === name)!.id
      admit.push(modeOf(cell, name) === 'report' ? reporting(step, id, cell.id, would) : step)
      admitIds.push(id)
      admitFaces.push(face)
    }
    const emit: EmitStage[] = []
    for (const name of emitOrder) {
      const stage = stages.get(name)?.emit
      if (!stage) continue
      const id = rules.find((control) => control.name === name)!.id
      emit.push(modeOf(cell, name) === 'report' ? reportingEmit(stage, id, cell.id, would) : stage)
    }
    let identify: Identify = {}
    // In report mode nothing changes, so the facts are those of a cell without the control.
    for (const [name, stage] of stages)
      if (stage.identify && modeOf(cell, name) === 'enforce') identify = stage.identify
    const listener = rules.find(({ name }) => stages.get(name)?.denied)
    const denied = listener && deniedOf(listener.id, stages.get(listener.name)!, modeOf(cell, listener.name))
    const compiled = compileCell(admit, emit, identify, admitIds, admitFaces, denied)
    if (!reports) compiledByKind.set(kind, compiled)
    return compiled
  }
}

function modeOf(cell: ResolvedCell, control: string): Mode {
  return (cell.settings[control] as { mode?: Mode }).mode ?? 'enforce'
}

// In report mode a control judges as ever, and only counts what it would have done. The keys are products of the
// policy (controls × codes or owned names × cells), so callers can't make them grow.
function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function reporting(
  step: NonNullable<Stage['admit']>,
  control: string,
  cell: string,
  would: Would,
): (exchange: Exchange) => Judgement {
  const watch = (exchange: Exchange, verdict: Verdict): Verdict => {
    if (verdict === undefined) return undefined
    // A page that a control serves, or a preflight, is no judgement; a redirect is.
    if (verdict.kind === 'answer' && verdict.status < 300) return verdict
    would(control, verdict.kind === 'deny' ? verdict.code : String(verdict.status), cell, exchange)
    return undefined
  }
  return (exchange) => {
    const verdict = step(exchange)
    return verdict instanceof Promise
      ? verdict.then((late) => watch(exchange, late))
      : watch(exchange, verdict)
  }
}

// In report mode it hears as ever, and what was refused stays as it was refused.
function deniedOf(control: string, { denied }: Stage, mode: Mode): Denied {
  const hear = denied!
  if (mode !== 'report') return { control, hear }
  return {
    control,
    hear: (exchange) => {
      const own = hear(exchange)
      return own instanceof Promise ? own.then(() => undefined) : undefined
    },
  }
}

// An emitting control in report mode owns nothing: it watches, and counts each line that it would have changed.
function reportingEmit(stage: EmitStage, control: string, cell: string, would: Would): EmitStage {
  const owns = stage.owns ?? []
  return {
    watches: [...owns, ...(stage.watches ?? [])],
    perAnswer(exchange, status, seen) {
      const own = stage.perAnswer?.(exchange, status, seen) ?? NO_LINES
      const wanted = new Map(
        [...(stage.fixed?.pairs ?? []), ...own.pairs].map(([name, value]) => [name.toLowerCase(), value]),
      )
      for (const name of owns) if (seen.get(name) !== wanted.get(name)) would(control, name, cell, exchange)
      return NO_LINES
    },
    replaceBody(status, seen) {
      const code = stage.replaceBody?.(status, seen)
      if (code !== undefined) would(control, `body:${code}`, cell, undefined)
      return undefined
    },
  }
}
