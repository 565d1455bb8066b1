// What `lockout` does in a cell that is a sign-in: it hands out a way to count the guess, to whoever reads the body, and
// settles the guess by the status of the answer.

import type { CellInfo } from '../../guard/cell.ts'
import type { Denial, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { type Lines, lines, NO_LINES } from '../../guard/lines.ts'
import { deviceCookie, deviceTokenIn } from '../../lockout/device-token.ts'
import { type Attempt, createLockout, type Lockout } from '../../lockout/engine.ts'
import type { Services } from '../../ports/services.ts'
import { nameInBody } from './name-in-body.ts'
import {
  authenticatorOf,
  type FullLockout,
  fullLockout,
  type LockoutSetting,
  numbersOf,
  secretOf,
  tellsRecovery,
} from './setting.ts'

type Allowed = Extract<Attempt, { readonly allowed: true }>

const CONTROL = 'SP-LOCKOUT-01'
const MAX_BODY_BYTES = 16_384
// What can't be counted is not verified.
const UNAVAILABLE: Denial = { kind: 'deny', code: 'credentials_unavailable' }

/** By what an application tells whose secret was set anew. */
const RECOVERED = 'lockout-recovered'

export function missingForLockout(
  setting: LockoutSetting,
  _cell: CellInfo,
  services: Services,
): string | undefined {
  if (fullLockout(setting) === undefined && !tellsRecovery(setting)) return undefined
  if (services.lockouts === undefined)
    return 'give services.lockouts a place that remembers failed guesses: recordedLockouts(store) of @sallyport/store, or memoryLockouts of sallyport/lockout for one process'
  const name = secretOf(setting)
  return (services.secret?.(name) ?? '').length < 16
    ? `give services.secret a value of at least 16 characters for "${name}"; "openssl rand -base64 32" makes one`
    : undefined
}

export function compileLockout(setting: LockoutSetting, needs: Needs): Stage {
  const full = fullLockout(setting)
  const recovers = tellsRecovery(setting)
  const { lockouts, challenges, secret, audit } = needs.services
  if (full === undefined && !recovers) return {}
  const taken = recovers ? { owns: [RECOVERED], watches: [RECOVERED] } : {}
  // Where a policy is only tried nothing is counted, but it is seen that there is something that would.
  if (needs.trial !== undefined || lockouts === undefined)
    return { ...(full && { admit: () => undefined }), emit: taken }
  const { clock, random } = needs
  const lockout = createLockout({
    store: lockouts,
    numbers: numbersOf(setting),
    clock,
    random,
    pepper: secret?.(secretOf(setting)) ?? '',
    control: CONTROL,
    ...(full?.surge && { puzzle: full.surge }),
    ...(challenges && { challenges }),
    ...(audit ? { audit } : {}),
  })
  const guesses = full && watchGuesses(lockout, full, setting.mode === 'report')
  return {
    ...(guesses && { admit: guesses.admit }),
    emit: {
      ...taken,
      perAnswer(exchange, status, seen) {
        const recovered = recovers ? seen.get(RECOVERED) : undefined
        if (recovered !== undefined) recover(lockout, recovered, authenticatorOf(setting))
        return guesses?.settle(exchange, status) ?? NO_LINES
      },
    },
  }
}

function watchGuesses(lockout: Lockout, full: FullLockout, reports: boolean) {
  const success = new Set(full.success)
  const open = new WeakMap<Exchange, Allowed>()

  async function attempt(exchange: Exchange, name: string): Promise<Denial | undefined> {
    const found = await lockout.attempt(name, {
      authenticator: full.authenticator,
      address: exchange.client.address,
      requestId: exchange.requestId,
      challengeAnswer: exchange.header('challenge-answer'),
      // What a page of another site sends along counts for nothing.
      deviceToken: exchange.cookiesIgnored ? undefined : deviceTokenIn(exchange.header('cookie')),
    })
    if (found.allowed) {
      open.set(exchange, found)
      return undefined
    }
    if (reports) return undefined
    const verdict = denialFor(found)
    exchange.decision = { control: CONTROL, verdict }
    return verdict
  }

  return {
    admit(exchange: Exchange): undefined {
      exchange.signIn = {
        maxBodyBytes: MAX_BODY_BYTES,
        nameIn: (body) =>
          nameInBody(body, full.name, {
            contentType: exchange.header('content-type'),
            contentEncoding: exchange.header('content-encoding'),
            query: exchange.target.split('?').slice(1).join('?'),
          }),
        attempt: (name) => attempt(exchange, name).catch(() => UNAVAILABLE),
      }
    },
    settle(exchange: Exchange, status: number): Lines {
      const guess = open.get(exchange)
      if (guess === undefined) return NO_LINES
      open.delete(exchange)
      const isSuccess = success.has(status)
      // The answer does not wait: what a success gives back is given back a moment later, or stays counted.
      void guess.settle(isSuccess)
      return isSuccess && full.deviceCookie && guess.newDeviceToken !== undefined
        ? lines([['Set-Cookie', deviceCookie(guess.newDeviceToken)]])
        : NO_LINES
    },
  }
}

// Where the store is away the counts stay as they are, and the application may tell again.
function recover(lockout: Lockout, told: string, authenticator: string): void {
  let name: string
  try {
    name = decodeURIComponent(told)
  } catch {
    return
  }
  Promise.all([lockout.reset(name, authenticator), lockout.retireDevices(name)]).catch(() => {})
}

function denialFor(refused: Extract<Attempt, { readonly allowed: false }>): Denial {
  if (refused.because === 'challenge')
    return { kind: 'deny', code: 'challenge_required', challenge: refused.challenge }
  const code = refused.because === 'unavailable' ? 'credentials_unavailable' : 'locked_out'
  const { retryAfterSeconds } = refused
  return {
    kind: 'deny',
    code,
    ...(retryAfterSeconds === undefined
      ? {}
      : { headers: lines([['Retry-After', String(retryAfterSeconds)]]) }),
  }
}
