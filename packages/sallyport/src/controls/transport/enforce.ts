// Refuses plain HTTP where it can be known, and puts HSTS on every answer.

import type { EmitStage, Needs, Stage, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { isHeaderValue, lines, NO_LINES } from '../../guard/lines.ts'
import { teller } from '../../guard/telling.ts'
import { hstsValue, type TransportSetting } from './setting.ts'

export function compileTransport(setting: TransportSetting, needs: Needs): Stage {
  const tell = exposureTeller(setting, needs)
  return {
    admit: (exchange) => requireHttps(setting, exchange, tell),
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

// Headers that carry a credential: sent in clear, it must be taken as exposed, which a redirect would hide.
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'] as const

const REFUSED: Verdict = { kind: 'deny', code: 'https_required', close: true }

type TellExposure = (exchange: Exchange) => void

// Whoever is on the way has read it, whatever is answered.
function exposureTeller({ mode }: TransportSetting, needs: Needs): TellExposure {
  const tell = teller(needs)
  const { keys } = needs.services
  return (exchange) => {
    const header = CREDENTIALS.find((name) => exchange.header(name) !== undefined)
    if (header === undefined) return
    // Whose key it is, where that is known without asking.
    const text = exchange.header(header)!.replace(/^bearer +/i, '')
    const known = text.length > MAX_KEY || needs.trial ? undefined : keys?.known?.(text)
    const record = typeof known === 'object' ? known.record : undefined
    tell(exchange, 'credential.exposed', {
      control: 'SP-TLS-01',
      ...(mode === 'report' ? {} : { code: 'https_required' }),
      ...(record && { organisation: record.organisation, credential: record.id, target: record.id }),
      details: { where: 'plain HTTP', header },
    })
  }
}

const MAX_KEY = 200

function requireHttps(setting: TransportSetting, exchange: Exchange, tell: TellExposure): Verdict {
  // At a listener of ours the connection says it. Behind a front only what a declared proxy forwards does.
  const scheme =
    setting.tls === 'here' ? (exchange.incoming.encrypted ? 'https' : 'http') : exchange.forwardedScheme
  if (scheme !== 'http') return undefined
  tell(exchange)
  const location = setting.plainHttp === 'redirect' ? redirectTarget(exchange) : undefined
  if (location === undefined) return REFUSED
  return { kind: 'answer', status: 308, headers: lines([['Location', location]]), body: '' }
}

// Only to the host that was asked for, and only where nothing is lost by asking again. A path that is not canonical
// ("//evil.example") has its own cell and is refused.
function redirectTarget(exchange: Exchange): string | undefined {
  const { method } = exchange.incoming
  if ((method !== 'GET' && method !== 'HEAD') || exchange.cell.origin === 'strict') return undefined
  if (CREDENTIALS.some((name) => exchange.header(name) !== undefined)) return undefined
  const { host } = exchange.client
  if (host === undefined || !isHost(host) || !isHeaderValue(exchange.target)) return undefined
  return `https://${host.replace(/:\d*$/, '')}${exchange.target}`
}

function isHost(host: string): boolean {
  return host.length <= 255 && /^[A-Za-z0-9](?:[A-Za-z0-9.-]*)(?::\d{1,5})?$/.test(host)
}
