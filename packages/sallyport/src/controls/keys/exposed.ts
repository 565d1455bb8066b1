// Keys that stand where others read them. They are refused whatever they are; the log is told whose they are, as far as
// that is found out, so that somebody can rotate them.

import type { Denial, Judgement, Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { KeyAnswer } from '../../ports/keys.ts'
import { andThen, type Failures } from './failures.ts'
import { ofRecord, teller } from './tell.ts'

/** Refuses a key that is exposed, and tells of it where it is a secret one: everybody has seen a publishable one. */
export function exposedKeys(
  needs: Needs,
  failures: Failures,
): (exchange: Exchange, key: string, denial: Denial, where: string) => Judgement {
  const tell = teller(needs)
  const ring = needs.trial === undefined ? needs.services.keys : undefined

  // Whoever may have no bad key looked up has none looked up in this way either.
  function find(exchange: Exchange, key: string): KeyAnswer | Promise<KeyAnswer> {
    const known = ring?.known?.(key)
    if (ring === undefined || known !== undefined) return known ?? 'unavailable'
    const refusal = failures.refusal(exchange)
    if (refusal instanceof Promise) return refusal.then((found) => (found ? 'unavailable' : ring.find(key)))
    return refusal === undefined ? ring.find(key) : 'unavailable'
  }

  return (exchange, key, denial, where) => {
    if (!key.startsWith('sk_')) return denial
    const told = (answer: KeyAnswer): Judgement => {
      tell(exchange, 'key.exposed', {
        ...(typeof answer === 'string' ? {} : ofRecord(answer.record)),
        code: denial.code,
        details: { where },
      })
      if (answer !== 'unknown') return denial
      return andThen(failures.count(exchange), () => denial)
    }
    const answer = find(exchange, key)
    return answer instanceof Promise ? answer.then(told) : told(answer)
  }
}
