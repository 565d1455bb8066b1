// What `sallyport serve` says: where everything is when it runs, and what happens after that.

import type { ServeSettings } from './serve-settings.ts'
import type { GatewayEvent } from './server.ts'

/** A gateway that has just started. */
interface Started {
  readonly url: string
  readonly admin: string | undefined
  readonly behind: ServeSettings['behind']
  readonly workers: number
  /** Where the policy came from. */
  readonly policy: string
  readonly digest: string
  readonly configuration: string | undefined
  /** As the reader's terminal would name it. */
  readonly caFile: string | undefined
}

/** For a person. */
export function startedInWords(started: Started): string {
  const { url, admin, behind, workers, policy, digest, configuration, caFile } = started
  const { named, origins } = behind
  const several = named.length > 1
  return [
    `Sallyport: ${url} -> ${several ? `${named.length} upstreams` : origins.join(', ')}${workers > 1 ? `, ${workers} processes` : ''}`,
    ...(several ? named.map((one) => `  ${one.name}: ${one.origins.join(', ')}`) : []),
    `policy: ${policy}, ${digest}`,
    ...(configuration ? [`configuration: ${configuration}`] : []),
    ...(admin ? [`admin: ${admin}`] : []),
    ...(caFile ? [`certificate: a local one, signed by ${caFile}`] : []),
    'Ctrl-C drains and stops.',
  ].join('\n')
}

/** For a program. */
export function startedAsJson({
  url,
  admin,
  behind,
  policy,
  digest,
  configuration,
  caFile,
}: Started): string {
  const byName = behind.named.map(({ name, origins }) => [name, origins])
  return JSON.stringify({
    url,
    upstream: behind.origins[0],
    ...(byName.length > 0 ? { upstreams: Object.fromEntries(byName) } : {}),
    policy,
    digest,
    ...(admin ? { admin } : {}),
    ...(configuration ? { configuration } : {}),
    ...(caFile ? { caFile } : {}),
  })
}

/** One event on its way to the operator. */
export function eventLine({ event, reason, route, requestId }: GatewayEvent): string {
  switch (event) {
    case 'reloaded':
      return `reloaded: ${reason}`
    case 'reload-refused':
      return `reload refused, the policy before goes on:\n${reason.replace(/^/gm, '  ')}`
    case 'connection-refused':
      return `a connection was closed before anything was asked: ${reason}`
    case 'tls-fault':
      return reason
    case 'counters-away':
      return `limits are counted without their server, each bucket as its onOutage says: ${reason}`
    case 'counters-back':
      return `limits are counted on their server again: ${reason}`
    case 'clock-jumped':
      return `the clock of this machine was set: ${reason}`
    case 'process-ended':
      return `a process ended and is started anew: ${reason}`
    default:
      if (event.startsWith('store-')) return `the store: ${reason}`
      return `${event}: ${reason}, route ${route}, request ${requestId || 'without id'}`
  }
}
