// Judges the key of a request. What the text alone says is judged first, then what is known without a look-up, and only
// then is anybody asked. Whoever shows a bad key hears the same, whatever is wrong with it.

import type { CellInfo } from '../../guard/cell.ts'
import type { Denial, Judgement, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { type Lines, lines, NO_LINES } from '../../guard/lines.ts'
import { type KeyShape, keyFormat } from '../../keys/format.ts'
import type { KeyAnswer, KeyRecord } from '../../ports/keys.ts'
import { exposedKeys } from './exposed.ts'
import { andThen, failuresOf } from './failures.ts'
import { faultOf, isInNetworks, type KeyFault, principalOf, replacedLines } from './record.ts'
import { answerKeys } from './self-service/answer.ts'
import { FAILURES_PER_MINUTE, type FullKeysSetting, fullSetting, type KeysSetting } from './setting.ts'
import { keyInTarget, shownKey } from './shown.ts'
import { ofRecord, teller } from './tell.ts'

// RFC 6750, section 3.1.
const INVALID: Denial = {
  kind: 'deny',
  code: 'invalid_credential',
  headers: lines([['WWW-Authenticate', 'Bearer error="invalid_token"']]),
}
const IN_URL: Denial = { kind: 'deny', code: 'credential_in_url' }
const IN_BROWSER: Denial = { kind: 'deny', code: 'secret_key_in_browser' }
const NOT_PUBLISHABLE: Denial = { kind: 'deny', code: 'publishable_key_not_allowed' }
const WRONG_ADDRESS: Denial = { kind: 'deny', code: 'address_not_allowed' }
const UNAVAILABLE: Denial = {
  kind: 'deny',
  code: 'credentials_unavailable',
  headers: lines([['Retry-After', '1']]),
}

// Of one old key it is told once in so long, however busy it is.
const TELL_AGAIN_MS = 60_000
const MOST_TOLD = 10_000

export function compileKeys(setting: KeysSetting, cell: CellInfo, needs: Needs): Stage {
  const full = fullSetting(setting, cell)
  const answer = answerKeys(setting, needs)
  if (full === undefined) return { ...urlOnly(setting, needs), ...(answer ? { answer } : {}) }
  const replaced = new WeakMap<Exchange, Lines>()
  return {
    ...(answer ? { answer } : {}),
    admit: judge(full, setting.mode !== 'report', needs, replaced),
    emit: {
      watches: ['deprecation', 'sunset'],
      perAnswer(exchange, _status, seen) {
        if (exchange.principal?.credential.kind !== 'key') return NO_LINES
        const own = replaced.get(exchange)
        // The application may speak of an end of its own, of the whole path.
        if (own === undefined || seen.get('deprecation') !== undefined || seen.get('sunset') !== undefined)
          return NO_LINES
        return own
      },
    },
  }
}

/** Where no key is read, one in the URL is exposed all the same: it stands in logs and histories. */
function urlOnly({ vendor, failuresPerMinute }: KeysSetting, needs: Needs): Stage {
  if (vendor === undefined) return {}
  const inTarget = keyInTarget(vendor)
  const exposed = exposedKeys(
    needs,
    failuresOf(needs.services.counters, failuresPerMinute ?? FAILURES_PER_MINUTE),
  )
  return {
    admit(exchange) {
      const leaked = inTarget(exchange.target)
      return leaked === undefined ? undefined : exposed(exchange, leaked, IN_URL, 'url')
    },
  }
}

function judge(
  full: FullKeysSetting,
  enforces: boolean,
  needs: Needs,
  replaced: WeakMap<Exchange, Lines>,
): (exchange: Exchange) => Judgement {
  const { services, clock, trial } = needs
  const format = keyFormat(full.vendor)
  const shown = shownKey(full)
  const inTarget = keyInTarget(full.vendor)
  const failures = failuresOf(services.counters, full.failuresPerMinute)
  const ring = trial === undefined ? services.keys : undefined
  const told = new Map<string, number>()
  const tell = teller(needs)
  const exposed = exposedKeys(needs, failures)

  function failed(exchange: Exchange, fault: KeyFault, record?: KeyRecord): Judgement {
    if (trial !== undefined) return INVALID
    return andThen(failures.count(exchange), (refusal) => {
      // Beyond the limit nothing new is told: it could fill a log.
      if (refusal !== undefined) return refusal
      // Whoever finds a revoked key must not be able to have its owner taken for suspicious.
      const { actor: _owner, ...ofKey } = record === undefined ? {} : ofRecord(record)
      tell(exchange, fault === 'revoked' ? 'key.used_after_revocation' : 'key.refused', {
        ...(fault === 'revoked' ? ofKey : record && ofRecord(record)),
        outcome: 'failure',
        code: INVALID.code,
        details: { fault },
      })
      return INVALID
    })
  }

  /** What the route says of publishable keys, whosever key it is. */
  function isPublishable(exchange: Exchange): boolean {
    return full.publishable?.methods.includes(exchange.incoming.method) === true
  }

  function judgeAnswer(exchange: Exchange, shape: KeyShape, answer: KeyAnswer): Judgement {
    if (answer === 'unavailable') return UNAVAILABLE
    if (answer === 'unknown') return failed(exchange, 'unknown')
    const { record } = answer
    const now = clock()
    const fault = faultOf(record, shape, now)
    if (fault !== undefined) return failed(exchange, fault, record)
    if (!isInNetworks(record, exchange)) return refused(exchange, record, WRONG_ADDRESS)
    const origin = exchange.header('origin')
    // Whoever leaves Origin out is let in all the same: it keeps a key from other pages, and proves nothing.
    if (record.kind === 'publishable' && origin !== undefined && !record.origins.includes(origin))
      return refused(exchange, record, NOT_PUBLISHABLE)
    if (!enforces) return undefined
    exchange.principal = principalOf(record, full)
    ring!.used(record.id, now)
    if (record.generationEndsAt !== undefined) noteReplaced(exchange, record, now)
    return undefined
  }

  function refused(exchange: Exchange, record: KeyRecord, denial: Denial): Denial {
    tell(exchange, 'key.refused', { ...ofRecord(record), code: denial.code })
    return denial
  }

  function noteReplaced(exchange: Exchange, record: KeyRecord, now: number): void {
    const own = replacedLines(record)
    if (own !== undefined) replaced.set(exchange, own)
    const before = told.get(record.id)
    if (before !== undefined && now - before < TELL_AGAIN_MS) return
    told.delete(record.id)
    if (told.size >= MOST_TOLD) told.delete(told.keys().next().value!)
    told.set(record.id, now)
    tell(exchange, 'key.used_after_rotation', {
      ...ofRecord(record),
      outcome: 'success',
      details: { generation: record.generation },
    })
  }

  /** Where a policy is only tried, whoever is taken to call shows the key. */
  function tried(exchange: Exchange): undefined {
    const principal = trial?.principal
    if (principal?.credential.kind === 'key' && enforces) exchange.principal = principal
  }

  return function admitKey(exchange) {
    const leaked = inTarget(exchange.target)
    if (leaked !== undefined) return exposed(exchange, leaked, IN_URL, 'url')
    const key = shown(exchange)
    if (key === undefined) {
      const { class: ofTried } = trial?.principal?.credential ?? {}
      return ofTried === 'publishable' && !isPublishable(exchange) ? NOT_PUBLISHABLE : tried(exchange)
    }
    if (typeof key !== 'string') return key
    const shape = format.read(key)
    if (shape === undefined) return failed(exchange, 'malformed')
    if (full.environment !== 'both' && shape.environment !== full.environment)
      return failed(exchange, 'wrong environment')
    if (shape.kind === 'publishable') {
      if (!isPublishable(exchange)) return NOT_PUBLISHABLE
    } else if (exchange.header('origin') !== undefined) return exposed(exchange, key, IN_BROWSER, 'browser')
    if (ring === undefined) return tried(exchange)
    const known = ring.known?.(key)
    if (known !== undefined) return judgeAnswer(exchange, shape, known)
    // An address may be that of many: a key that was found lately is no try of theirs who guess.
    return andThen(failures.refusal(exchange), (refusal) =>
      refusal !== undefined && ring.wasFound?.(key) !== true
        ? refusal
        : andThen(ring.find(key), (answer) => judgeAnswer(exchange, shape, answer)),
    )
  }
}
