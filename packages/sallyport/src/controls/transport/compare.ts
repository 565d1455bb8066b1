// Which of two `transport` settings is the stronger. HSTS is a vector (age, subdomains, the browsers' list), compared
// part by part; a max-age of 0 is weaker than no header, since it makes browsers forget.

import type { Change } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { PRELOAD_MIN_SECONDS, type TransportSetting } from './setting.ts'

type Hsts = Exclude<TransportSetting['hsts'], false | undefined>

/** One part that has a rank: what a lower rank makes possible, what a higher one gives. */
interface Part {
  readonly what: string
  rank(hsts: Hsts | undefined): number
  readonly loss: string
  readonly gain: string
}

const PARTS: readonly Part[] = [
  {
    what: 'hsts.maxAgeSeconds',
    rank: (hsts) => (hsts === undefined ? 0 : hsts.maxAgeSeconds === 0 ? -1 : (hsts.maxAgeSeconds ?? 0)),
    loss: 'a browser can be led to plain HTTP sooner after its last visit',
    gain: 'browsers insist on HTTPS for longer',
  },
  {
    what: 'hsts.includeSubDomains',
    rank: (hsts) => (hsts?.includeSubDomains && hsts.maxAgeSeconds ? 1 : 0),
    loss: 'a subdomain can be reached over plain HTTP, and set cookies for this host',
    gain: 'subdomains are covered as well',
  },
  {
    what: 'hsts.preload',
    rank: (hsts) =>
      hsts?.preload && hsts.includeSubDomains && (hsts.maxAgeSeconds ?? 0) >= PRELOAD_MIN_SECONDS ? 1 : 0,
    loss: 'the very first visit can be taken over plain HTTP',
    gain: 'the very first visit is HTTPS',
  },
]

export function compareTransport(before: TransportSetting, after: TransportSetting): readonly Change[] {
  const [a, b] = [inForce(before), inForce(after)]
  const changes: Change[] = [...compareModes(before, after), ...compareHsts(a, b)]
  const order = (what: string, difference: number, loss: string, gain: string) => {
    if (difference !== 0)
      changes.push(
        difference > 0
          ? { what, strength: 'stronger', because: gain }
          : { what, strength: 'weaker', because: loss },
      )
  }
  order('minVersion', oldest(b) - oldest(a), 'a client may negotiate TLS 1.2', 'TLS 1.2 is refused')
  order(
    'plainHttp',
    refusal(b) - refusal(a),
    refusal(b) === 0
      ? 'a request over plain HTTP is answered'
      : 'a request over plain HTTP is redirected instead of refused',
    refusal(b) === 2 ? 'plain HTTP is refused' : 'plain HTTP is redirected instead of answered',
  )
  if (a.tls !== b.tls)
    changes.push({
      what: 'tls',
      strength: 'incomparable',
      because: 'TLS ends at another place, whose strength is not in this policy',
    })
  return changes
}

type InForce = TransportSetting & { readonly lax: boolean }

// A control that does not enforce leaves HSTS to the application and answers plain HTTP.
function inForce(setting: TransportSetting): InForce {
  if ((setting.mode ?? 'enforce') === 'enforce') return { ...setting, lax: false }
  const { hsts: _hsts, ...rest } = setting
  return { ...rest, lax: true }
}

function oldest({ minVersion }: InForce): number {
  return minVersion === 'TLSv1.2' ? 0 : 1
}

function refusal({ lax, plainHttp }: InForce): number {
  return lax ? 0 : plainHttp === 'redirect' ? 1 : 2
}

function compareHsts(before: TransportSetting, after: TransportSetting): readonly Change[] {
  const [from, to] = [before.hsts, after.hsts]
  if (from === undefined && to === undefined) return []
  if (from !== undefined && to !== undefined) return compareParts(from || undefined, to || undefined)
  const stated = (from === undefined ? to : from) || undefined
  const helps = compareParts(undefined, stated).some(({ strength }) => strength === 'stronger')
  const what = 'hsts'
  if (!helps)
    return [
      {
        what,
        strength: 'incomparable',
        because: `Strict-Transport-Security is ${from === undefined ? 'no longer' : 'now'} what the application sends`,
      },
    ]
  return from === undefined
    ? [{ what, strength: 'stronger', because: 'browsers insist on HTTPS, whatever the application sends' }]
    : [
        {
          what,
          strength: 'weaker',
          because: 'an answer can go out without Strict-Transport-Security, or erase it',
        },
      ]
}

function compareParts(from: Hsts | undefined, to: Hsts | undefined): readonly Change[] {
  return PARTS.flatMap(({ what, rank, loss, gain }): Change[] => {
    const difference = rank(to) - rank(from)
    if (difference === 0) return []
    return [
      difference > 0
        ? { what, strength: 'stronger', because: gain }
        : { what, strength: 'weaker', because: loss },
    ]
  })
}
