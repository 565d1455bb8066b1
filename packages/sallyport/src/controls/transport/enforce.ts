// Refuses plain HTTP where it can be known, and puts HSTS on every answer.

import type { EmitStage, Needs, Stage, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines, NO_LINES } from '../../guard/lines.ts'
import { hstsValue, type TransportSetting } from './setting.ts'

export function compileTransport(setting: TransportSetting, needs: Needs): Stage {
  return {
    admit: (exchange) => requireHttps(setting, exchange),
    ...(setting.hsts === undefined ? {} : { emit: hstsStage(setting, needs) }),
  }
}

function hstsStage(setting: TransportSetting, needs: Needs): EmitStage {
  const owns = ['strict-transport-security']
  const value = hstsValue(setting)
  if (value === undefined) return { owns }
  const line = lines([['Strict-Transport-Security', value]])
  // RFC 6797, section 7.2: never over plain HTTP. Behind a front we can't see the client's scheme on every answer
  // (parser errors come before any header is read), and browsers ignore the header on plain HTTP.
  if (setting.tls === 'in-front' || needs.place === 'fetch') return { owns, fixed: line }
  return { owns, perAnswer: (exchange) => (exchange.incoming.encrypted ? line : NO_LINES) }
}

function requireHttps(setting: TransportSetting, exchange: Exchange): Verdict {
  // Where TLS ends here, the connection itself decides, whatever a proxy forwards.
  const scheme =
    setting.tls === 'here' ? (exchange.incoming.encrypted ? 'https' : 'http') : exchange.client.scheme
  if (scheme !== 'http') return undefined
  const { method } = exchange.incoming
  const target = exchange.target
  const host = exchange.client.host
  const redirects =
    setting.plainHttp === 'redirect' &&
    (method === 'GET' || method === 'HEAD') &&
    exchange.header('authorization') === undefined &&
    exchange.header('cookie') === undefined &&
    host !== undefined &&
    isHost(host) &&
    // "//evil.example" after the host would still be a path here, but is refused as not canonical all the same.
    exchange.cell.origin !== 'strict'
  if (!redirects) return { kind: 'deny', code: 'https_required', close: true }
  return {
    kind: 'answer',
    status: 308,
    headers: lines([['Location', `https://${host.replace(/:\d*$/, '')}${target}`]]),
    body: '',
  }
}

function isHost(host: string): boolean {
  return host.length <= 255 && /^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(host)
}
