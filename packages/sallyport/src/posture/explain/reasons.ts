// Why a control let a request pass or not, in one sentence.

import { requirementOf } from '../../controls/access/requirement.ts'
import type { AccessSetting } from '../../controls/access/setting.ts'
import { type CorsSetting, fullSetting, isOpen } from '../../controls/cors/setting.ts'
import { type FullLockout, fullLockout, type LockoutSetting } from '../../controls/lockout/setting.ts'
import { catalogue } from '../../errors/catalogue.ts'
import type { Answer, Denial } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'

/** The sentence for one control. */
export function reasonOf(control: string, verdict: Denial | Answer | undefined, exchange: Exchange): string {
  if (verdict?.kind === 'deny' && control !== 'cors' && control !== 'transport')
    return sentenceOf(catalogue[verdict.code].title)
  switch (control) {
    case 'client':
      return clientReason(exchange)
    case 'request':
      return 'method, target, host, framing and sizes are in order'
    case 'transport':
      return transportReason(exchange, verdict)
    case 'cors':
      return corsReason(exchange, verdict)
    case 'keys':
      if (verdict !== undefined)
        return 'it works on keys for the caller; what it would find is not looked up here'
      return exchange.principal?.credential.kind === 'key'
        ? 'the key is taken to be good'
        : 'no key is shown, or whether it is good is not looked up here'
    case 'access':
      return verdict === undefined
        ? accessReason(exchange)
        : 'it answers who calls, and what is left of the limits'
    case 'limits':
      return 'nothing is counted here: whoever is under the limits passes'
    case 'lockout':
      return guessReason(fullLockout(exchange.cell.settings['lockout'] as LockoutSetting))
    default:
      return verdict === undefined
        ? 'the path is none that it answers itself'
        : 'the path is one that it answers itself'
  }
}

function guessReason(full: FullLockout | undefined): string {
  if (full === undefined) return 'it is no sign-in'
  const counted =
    'it is a guess: its account and address are counted when its body has been read, which is not tried here'
  return full.surge === undefined
    ? counted
    : `${counted}; while failures surge, a stranger is challenged first`
}

function accessReason({ cell, principal }: Exchange): string {
  const { level } = requirementOf(cell.settings['access'] as AccessSetting, cell)
  if (level === 'open') return 'nobody is asked who calls'
  if (principal === undefined) return 'no credential is required, and none is taken to be shown'
  const { scopes, role } = principal
  const named = role === undefined ? '' : ` in the role ${role}`
  return `the caller${named} may: its rights are ${scopes.join(', ') || 'no scope'}`
}

function sentenceOf(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1)
}

function clientReason({ client }: Exchange): string {
  const address = client.address ?? 'unknown'
  return client.viaProxy
    ? `the peer is a declared proxy, so the caller is ${address}, as the proxies say`
    : `the caller is ${address}, the other end of the connection`
}

function transportReason(exchange: Exchange, verdict: Denial | Answer | undefined): string {
  if (verdict?.kind === 'answer') return 'it came over plain HTTP, and is sent to HTTPS'
  if (verdict !== undefined) return 'it came over plain HTTP'
  if (exchange.incoming.encrypted) return 'it came over TLS'
  return exchange.forwardedScheme === 'https'
    ? 'a declared proxy says that it came over HTTPS'
    : 'TLS ends in front, and no declared proxy says how the caller came'
}

function corsReason(exchange: Exchange, verdict: Denial | Answer | undefined): string {
  const full = fullSetting(exchange.cell.settings['cors'] as CorsSetting)
  const origin = exchange.header('origin')
  if (full === undefined) return 'the policy leaves cross-origin rules to the application'
  if (origin === undefined) return 'there is no Origin, so no page of another site asks'
  const shown = originText(origin)
  const isPreflight =
    exchange.incoming.method === 'OPTIONS' && exchange.header('access-control-request-method') !== undefined
  const asks = isPreflight ? 'the preflight' : 'the request'
  if (verdict?.kind === 'deny') return `${shown} is not granted anything here, so ${asks} is refused`
  if (verdict?.kind === 'answer') return `${shown} is granted what the answer to the preflight says`
  if (exchange.cookiesIgnored)
    return `${shown} is not listed: it may call without cookies, and any that came are ignored`
  return isOpen(full, exchange.cell) && full.origins.length === 0
    ? `${shown} may read the answer, without cookies`
    : `the answer says whether ${shown} may read it`
}

// An origin is shown as it came, but for what no origin holds.
function originText(origin: string): string {
  return /^[\x21-\x7e]{1,200}$/.test(origin) ? origin : 'that origin'
}
