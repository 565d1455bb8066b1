// Who calls, handed to the service behind the gateway: the line of each request, and the keys that prove it.

import type { Answer, Judgement, Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import type { Principal } from '../../guard/principal.ts'
import { seededKeys } from '../../identity/seeded-keys.ts'
import { createIdentitySigner, type IdentitySigner } from '../../identity/signer.ts'
import { givenKeys, ownKeys, readGivenKeys, type SigningKeys } from '../../identity/signing-keys.ts'
import {
  type AccessSetting,
  DEFAULT_IDENTITY_HEADER,
  DEFAULT_IDENTITY_SECONDS,
  IDENTITY_KEYS_PATH,
} from './setting.ts'

/** What a cell does for the hand-over. */
export interface HandOver {
  /** Answers the request for the keys; `undefined` for every other. */
  readonly admitKeys?: (exchange: Exchange) => Judgement
  /** Writes the line that goes to the upstream. */
  readonly identify?: (exchange: Exchange, principal: Principal) => undefined | Promise<undefined>
}

type Identity = NonNullable<AccessSetting['identity']>

/** Only the gateway hands on: inside an application the handler reads the principal itself. */
export function handOver({ identity }: AccessSetting, needs: Needs): HandOver {
  if (!identity || needs.place !== 'gateway') return {}
  if (needs.trial) return { admitKeys: (exchange) => (asksForKeys(exchange) ? keysAnswer([]) : undefined) }
  const { signer, keys } = signerFor(identity, needs)
  const name = identity.header ?? DEFAULT_IDENTITY_HEADER
  const write = (exchange: Exchange, token: string): undefined => {
    exchange.upstreamLines = [[name, token]]
  }
  return {
    admitKeys: (exchange) => (asksForKeys(exchange) ? keys.published().then(keysAnswer) : undefined),
    identify(exchange, principal) {
      const token = signer.sign(principal)
      return typeof token === 'string' ? write(exchange, token) : token.then((late) => write(exchange, late))
    },
  }
}

function asksForKeys({ path, incoming: { method } }: Exchange): boolean {
  return path === IDENTITY_KEYS_PATH && (method === 'GET' || method === 'HEAD')
}

const HEADERS = lines([['Content-Type', 'application/jwk-set+json']])

function keysAnswer(keys: readonly object[]): Answer {
  return { kind: 'answer', status: 200, headers: HEADERS, body: JSON.stringify({ keys }) }
}

// Every guard of one process signs with the same keys: an identity must not end with a reload of the policy. The clock
// tells processes apart in tests.
const ownByClock = new WeakMap<Needs['clock'], SigningKeys>()
const signers = new WeakMap<Needs, Map<string, Signing>>()

interface Signing {
  readonly signer: IdentitySigner
  readonly keys: SigningKeys
}

function signerFor(identity: Identity, needs: Needs): Signing {
  const known = signers.get(needs) ?? new Map<string, Signing>()
  signers.set(needs, known)
  const key = JSON.stringify(identity)
  const found = known.get(key)
  if (found) return found
  const { issuer = 'sallyport', audience = '', lifetimeSeconds = DEFAULT_IDENTITY_SECONDS } = identity
  const { clock } = needs
  const keys = keysFor(identity, needs)
  const made = { signer: createIdentitySigner({ issuer, audience, lifetimeSeconds, keys, clock }), keys }
  known.set(key, made)
  return made
}

function keysFor({ key }: Identity, { clock, services }: Needs): SigningKeys {
  const given = key === undefined ? undefined : readGivenKeys(services.secret?.(key) ?? '')
  if (given) return givenKeys(given)
  if (services.identitySeed) return seededKeys(services.identitySeed, clock)
  const known = ownByClock.get(clock) ?? ownKeys(clock)
  ownByClock.set(clock, known)
  return known
}
