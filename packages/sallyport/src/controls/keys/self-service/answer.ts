// Answers `/v1/keys`: who asks, whether he may, what he sent, and only then the records. The text of a key is in one answer
// and nowhere else.

import type { Answer, Denial, InputError, Judgement, Needs, Verdict } from '../../../guard/control.ts'
import type { Exchange } from '../../../guard/exchange.ts'
import { lines } from '../../../guard/lines.ts'
import type { Principal } from '../../../guard/principal.ts'
import type {
  KeyActor,
  KeyAdministrator,
  KeyChange,
  KeyHome,
  KeyObstacle,
  ManagedKey,
} from '../../../ports/key-administrator.ts'
import { type FullSelfService, fullSelfService, type KeysSetting } from '../setting.ts'
import { teller } from '../tell.ts'
import { type Asked, askedFor, isKeysPath, KEYS_PATH } from './paths.ts'
import { beyond, boundsOf, granted, mayRead, mayWrite, type Refusal } from './rights.ts'
import { shownKey } from './shown.ts'
import { KEYS_MAX_BYTES, type Read, readKeyWish, readPage, readParameters, readRotationWish } from './wish.ts'

const NO_STORE = ['Cache-Control', 'no-store, private'] as const
const DAY_MS = 86_400_000

const NOT_FOUND: Denial = { kind: 'deny', code: 'not_found' }
const ENDED: Denial = { kind: 'deny', code: 'key_ended' }
const FORBIDDEN: Denial = { kind: 'deny', code: 'forbidden' }
const UNAVAILABLE: Denial = {
  kind: 'deny',
  code: 'unavailable',
  headers: lines([['Retry-After', '1']]),
}
const UNAUTHENTICATED: Denial = {
  kind: 'deny',
  code: 'unauthenticated',
  headers: lines([['WWW-Authenticate', 'Bearer']]),
}
const INVALID: Denial = {
  kind: 'deny',
  code: 'invalid_credential',
  headers: lines([['WWW-Authenticate', 'Bearer error="invalid_token"']]),
}

// draft-ietf-httpapi-idempotency-key-header: a string of RFC 8941. Clients send it bare as well.
const REQUEST_NAME = /^(?:"[\x20\x21\x23-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x5b\x5d-\x7e]{1,255})$/

/** The answers of one policy; `undefined` where it gives none. */
export function answerKeys(
  setting: KeysSetting,
  needs: Needs,
): ((exchange: Exchange) => Judgement) | undefined {
  const service = fullSelfService(setting)
  if (service === undefined) return undefined
  const administrator = needs.services.keyAdministrator
  const isTried = needs.trial !== undefined || administrator === undefined
  const work = isTried ? undefined : workOn(administrator, setting, needs)
  const tell = teller(needs)

  function refuse(exchange: Exchange, principal: Principal, denial: Denial): Denial {
    tell(exchange, denial.code === 'insufficient_scope' ? 'access.scope_missing' : 'access.denied', {
      organisation: principal.organisation,
      credential: principal.credential.id,
      ...(principal.subject === undefined ? {} : { actor: principal.subject }),
      code: denial.code,
    })
    return denial
  }

  return function answerAboutKeys(exchange) {
    if (!isKeysPath(exchange.path)) return undefined
    const { principal } = exchange
    if (principal === undefined) return UNAUTHENTICATED
    const { credential } = principal
    const own = credential.kind === 'key' ? credential.id : undefined
    const asked = askedFor(exchange.incoming.method, exchange.path, own)
    if (asked.what === 'nothing here') return NOT_FOUND
    if (asked.what === 'another method')
      return { kind: 'deny', code: 'method_not_allowed', headers: lines([['Allow', asked.allow]]) }
    const refusal = refusalOf(asked, principal, service, own)
    if (refusal !== undefined) return refuse(exchange, principal, denialFor(refusal))
    if (work === undefined) return json(asked.what === 'create' ? 201 : 200, {})
    const later = work(exchange, principal, asked).catch((): Denial => UNAVAILABLE)
    return later.then((verdict) =>
      verdict?.kind === 'deny' && verdict.code === 'rights_exceeded'
        ? refuse(exchange, principal, verdict)
        : verdict,
    )
  }
}

type Work = Exclude<Asked, { readonly what: 'nothing here' | 'another method' }>

// A secret key may look after itself: whoever holds it can use it anyway, and ends it sooner than anybody else could.
function refusalOf(
  asked: Work,
  principal: Principal,
  service: FullSelfService,
  own: string | undefined,
): Refusal | undefined {
  const isOfSelf = 'id' in asked && asked.id === own
  if (isOfSelf && principal.credential.class === 'secret') return undefined
  return asked.what === 'list' || asked.what === 'show'
    ? mayRead(principal, service)
    : mayWrite(principal, service)
}

function denialFor(refusal: Refusal): Denial {
  if (refusal.code === 'forbidden') return FORBIDDEN
  // RFC 6750, section 3.1.
  const challenge = `Bearer error="insufficient_scope", scope="${refusal.scope}"`
  return { kind: 'deny', code: 'insufficient_scope', headers: lines([['WWW-Authenticate', challenge]]) }
}

function workOn(
  administrator: KeyAdministrator,
  setting: KeysSetting,
  { clock }: Needs,
): (exchange: Exchange, principal: Principal, asked: Work) => Promise<Verdict> {
  const { environment: worlds = 'live', expiresAfterDays = 365, overlapSeconds: overlap = 0 } = setting
  const vendor = setting.vendor!

  async function recordOf(
    { credential }: Pick<Principal, 'credential'>,
    home: KeyHome,
  ): Promise<ManagedKey | undefined> {
    return credential.kind === 'key' ? administrator.find(home, credential.id) : undefined
  }

  /** The record of the key that is shown, as it is now: another node may have ended it a moment ago. */
  async function ownOf(
    { credential }: Principal,
    home: KeyHome,
  ): Promise<Denial | { readonly kind: 'known'; readonly own: ManagedKey | undefined }> {
    if (credential.kind !== 'key') return { kind: 'known', own: undefined }
    const own = await recordOf({ credential }, home)
    if (own === undefined || own.revokedAt !== undefined) return INVALID
    if (own.expiresAt !== undefined && own.expiresAt <= clock()) return INVALID
    // A generation that was replaced lives on for work that is under way, not to make itself new.
    return own.generation === credential.generation ? { kind: 'known', own } : FORBIDDEN
  }

  // The worlds are kept apart: for a key of one there are none of the other.
  function isSeenBy(own: ManagedKey | undefined, key: ManagedKey): boolean {
    return own === undefined || own.environment === key.environment
  }

  async function seen(
    home: KeyHome,
    own: ManagedKey | undefined,
    id: string,
  ): Promise<ManagedKey | undefined> {
    if (own?.id === id) return own
    const key = await administrator.find(home, id)
    return key !== undefined && isSeenBy(own, key) ? key : undefined
  }

  async function create(exchange: Exchange, principal: Principal, home: KeyHome): Promise<Verdict> {
    const change = changeOf(exchange, principal, vendor)
    if ('kind' in change) return change
    const wish = await bodyOf(exchange, readKeyWish)
    if ('kind' in wish) return wish
    const caller = await ownOf(principal, home)
    if (caller.kind === 'deny') return caller
    const bounds = boundsOf(principal, caller.own, clock() + expiresAfterDays * DAY_MS)
    const held = granted(worlds === 'both' ? wish.value : { environment: worlds, ...wish.value }, bounds)
    if ('errors' in held) return { kind: 'deny', code: 'rights_exceeded', errors: held.errors }
    const { wanted } = held
    // A key of a world that the policy does not take would open nothing.
    if (worlds !== 'both' && wanted.environment !== worlds)
      return invalid([{ pointer: '/environment', code: 'not_taken' }])
    if (wanted.expiresAt <= clock()) return invalid([{ pointer: '/expires', code: 'in_the_past' }])
    const made = await administrator.create(home, wanted, change)
    if (typeof made === 'string' || 'repeated' in made) return obstacle(made)
    const { key, record } = made
    return json(201, { key, ...shownKey(record) }, [['Location', `${KEYS_PATH}/${record.id}`]])
  }

  async function rotate(
    exchange: Exchange,
    principal: Principal,
    home: KeyHome,
    id: string,
  ): Promise<Verdict> {
    const change = changeOf(exchange, principal, vendor)
    if ('kind' in change) return change
    const wish = await bodyOf(exchange, readRotationWish)
    if ('kind' in wish) return wish
    const caller = await ownOf(principal, home)
    if (caller.kind === 'deny') return caller
    const { own } = caller
    const key = await seen(home, own, id)
    if (key === undefined) return NOT_FOUND
    const latest = clock() + expiresAfterDays * DAY_MS
    if (key !== own) {
      const errors = beyond(key, boundsOf(principal, own, latest))
      if (errors.length > 0) return { kind: 'deny', code: 'rights_exceeded', errors }
    }
    // A key makes none that lives longer than it; a person renews it.
    const isRenewed = own === undefined && key.expiresAt !== undefined && key.expiresAt < latest
    const { overlapSeconds = overlap } = wish.value
    const made = await administrator.rotate(
      home,
      id,
      { overlapSeconds, ...(isRenewed ? { expiresAt: latest } : {}) },
      change,
    )
    if (typeof made === 'string' || 'repeated' in made) return obstacle(made)
    const beforeEnds = new Date(made.beforeEndsAt).toISOString()
    return json(200, { key: made.key, ...shownKey(made.record), beforeEnds })
  }

  async function revoke(
    exchange: Exchange,
    principal: Principal,
    home: KeyHome,
    id: string,
  ): Promise<Verdict> {
    const caller = await ownOf(principal, home)
    if (caller.kind === 'deny') return caller
    if ((await seen(home, caller.own, id)) === undefined) return NOT_FOUND
    const ended = await administrator.revoke(home, id, { actor: actorOf(exchange, principal) })
    return typeof ended === 'string' || 'repeated' in ended ? obstacle(ended) : json(200, shownKey(ended))
  }

  return async (exchange, principal, asked) => {
    const { organisation, store } = principal
    const home: KeyHome = { organisation, ...(store === undefined ? {} : { store }) }
    if (asked.what === 'list') {
      const page = readPage(exchange.target)
      if (!('value' in page)) return invalid(page.errors)
      const { limit, after } = page.value
      const own = await recordOf(principal, home)
      const keys = await administrator.list(home, limit + 1, after)
      const shown = keys.slice(0, limit)
      return json(200, {
        keys: shown.filter((key) => isSeenBy(own, key)).map(shownKey),
        next: keys.length > limit ? shown.at(-1)!.id : null,
      })
    }
    const parameters = readParameters(exchange.target, [])
    if ('errors' in parameters) return invalid(parameters.errors)
    if (asked.what === 'create') return create(exchange, principal, home)
    if (asked.what === 'rotate') return rotate(exchange, principal, home, asked.id)
    if (asked.what === 'revoke') return revoke(exchange, principal, home, asked.id)
    const key = await seen(home, await recordOf(principal, home), asked.id)
    return key === undefined ? NOT_FOUND : json(200, shownKey(key))
  }
}

function actorOf(exchange: Exchange, { subject, credential }: Principal): KeyActor {
  const { address } = exchange.client
  const { requestId } = exchange
  return {
    ...(subject === undefined ? {} : { subject }),
    credential: { kind: credential.kind, id: credential.id },
    ...(address === undefined ? {} : { address }),
    ...(requestId === '' ? {} : { requestId }),
  }
}

function changeOf(exchange: Exchange, principal: Principal, vendor: string): KeyChange | Denial {
  const written = exchange.header('idempotency-key')
  const actor = actorOf(exchange, principal)
  if (written === undefined) return { actor, vendor }
  if (!REQUEST_NAME.test(written)) return invalid([{ parameter: 'Idempotency-Key', code: 'wrong_value' }])
  return { actor, vendor, requestName: written.startsWith('"') ? written.slice(1, -1) : written }
}

async function bodyOf<T>(
  exchange: Exchange,
  read: (body: Uint8Array, head: Parameters<typeof readKeyWish>[1]) => Read<T>,
): Promise<{ readonly value: T } | Denial> {
  const body = (await exchange.incoming.body?.(KEYS_MAX_BYTES)) ?? new Uint8Array()
  if (body === 'too-large') return { kind: 'deny', code: 'body_too_large', close: true }
  // Nobody is left to answer.
  if (body === 'cut') return { kind: 'deny', code: 'malformed_request', close: true }
  const found = read(body, {
    contentType: exchange.header('content-type'),
    contentEncoding: exchange.header('content-encoding'),
  })
  if ('value' in found) return found
  return 'errors' in found ? invalid(found.errors) : { kind: 'deny', code: found.code }
}

function obstacle(met: KeyObstacle): Denial {
  if (typeof met === 'object') return { kind: 'deny', code: 'request_repeated', key: met.repeated }
  switch (met) {
    case 'unknown':
      return NOT_FOUND
    case 'ended':
      return ENDED
    case 'owner':
      return FORBIDDEN
    case 'store':
      return invalid([{ pointer: '/store', code: 'not_found' }])
  }
}

function invalid(errors: readonly InputError[]): Denial {
  return { kind: 'deny', code: 'input_invalid', errors }
}

function json(
  status: number,
  value: object,
  more: readonly (readonly [name: string, value: string])[] = [],
): Answer {
  return {
    kind: 'answer',
    status,
    headers: lines([['Content-Type', 'application/json'], NO_STORE, ...more]),
    body: JSON.stringify(value),
  }
}
