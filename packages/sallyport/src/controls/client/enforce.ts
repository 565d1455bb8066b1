// Installs what identifies a caller, and puts the request id on every answer.

import type { EmitStage, Identify, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Lines } from '../../guard/lines.ts'
import { isRequestId, randomHex } from './identifiers.ts'
import { headerLines, withoutSpaces } from './lists.ts'
import { clientBehind, type ProxyRules } from './proxied.ts'
import {
  type ClientSetting,
  forwardedBy,
  type RequestIdSetting,
  requestIdHeader,
  trustedSet,
} from './setting.ts'
import { nextTraceparent, parseTraceparent } from './trace.ts'

export function compileClient(setting: ClientSetting, needs: Needs): Stage {
  const trusted = trustedSet(setting)
  const rules: ProxyRules | undefined = trusted.isEmpty
    ? undefined
    : { trusted, by: forwardedBy(setting), forwardedHost: setting.forwardedHost === true }
  const requestId = setting.requestId || undefined
  const random = randomHex(needs.random)

  const identify: Identify = {
    ...(rules ? { client: (exchange: Exchange) => clientBehind(rules, exchange) } : {}),
    ...(requestId ? { requestId: requestIdFor(requestId, rules !== undefined, needs) } : {}),
    ...(setting.traceContext
      ? { traceparent: (exchange: Exchange) => nextTraceparent(rules && inboundTrace(exchange), random) }
      : {}),
  }
  return requestId ? { identify, emit: requestIdStage(requestIdHeader(requestId)) } : { identify }
}

function requestIdFor(setting: RequestIdSetting, hasProxies: boolean, needs: Needs) {
  const random = randomHex(needs.random)
  if (setting.accept === 'never' || !hasProxies) return () => random(16)
  const name = requestIdHeader(setting).toLowerCase()
  return (exchange: Exchange): string => {
    if (!exchange.client.viaProxy) return random(16)
    const lines = headerLines(exchange.incoming, name)
    return lines.length === 1 && isRequestId(lines[0]!) ? lines[0]! : random(16)
  }
}

function inboundTrace(exchange: Exchange) {
  if (!exchange.client.viaProxy) return undefined
  const lines = headerLines(exchange.incoming, 'traceparent')
  return lines.length === 1 ? parseTraceparent(withoutSpaces(lines[0]!)) : undefined
}

// One on every answer: the form that is not asked for is not made.
class IdLine implements Lines {
  readonly once = true
  private readonly name: string
  private readonly prefix: string
  private readonly id: string

  constructor(name: string, prefix: string, id: string) {
    this.name = name
    this.prefix = prefix
    this.id = id
  }

  get pairs(): Lines['pairs'] {
    return [[this.name, this.id]]
  }

  get wire(): string {
    return `${this.prefix}${this.id}\r\n`
  }
}

function requestIdStage(name: string): EmitStage {
  const prefix = `${name}: `
  return {
    owns: [name.toLowerCase()],
    // No check of the value: it is made here, or matched `isRequestId`.
    perAnswer: ({ requestId }) => new IdLine(name, prefix, requestId),
  }
}
