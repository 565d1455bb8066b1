// Counters on a Valkey or Redis server. Its client is the operator's to install: most gateways need none.

import { type ValkeyClient, valkeyClientOptions, valkeyCounters } from '@sallyport/store/valkey'
import type { Services } from 'sallyport'
import { PlaceFault } from '../config/places.ts'
import { type Family, single } from '../metrics/families.ts'
import type { CountersSetting } from './setting.ts'

type Counters = NonNullable<Services['counters']>

interface Client extends ValkeyClient {
  readonly status: string
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<void>
  disconnect(): void
}
type ClientClass = new (url: string, options: object) => Client

/** Counters and their end. */
export interface OpenCounters {
  readonly counters: Counters
  /** A sentence where the server is away, or does not answer. */
  problem(): string | undefined
  families(): readonly Family[]
  close(): void
}

const CLIENTS = ['iovalkey', 'ioredis']

async function clientClass(): Promise<ClientClass> {
  for (const name of CLIENTS)
    try {
      return ((await import(name)) as { default: ClientClass }).default
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    }
  throw new PlaceFault(
    `counters: the client of Valkey is a package of its own; install it: npm install ${CLIENTS[0]}`,
  )
}

/**
 * @param onAway hears when the server is taken to be away, and when it is back
 * @throws PlaceFault where there is no address or no client; a server that is away is none: buckets say what they do then
 */
export async function openCounters(
  { urlFrom, nodes }: CountersSetting,
  workers: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  onAway: (isAway: boolean) => void = () => {},
): Promise<OpenCounters> {
  const url = environment[urlFrom!]
  if (url === undefined || url === '')
    throw new PlaceFault(`counters: the environment has no ${urlFrom}; set it to redis://HOST:PORT`)
  if (!/^rediss?:\/\//.test(url))
    throw new PlaceFault(
      `counters: ${urlFrom} is no address of a Valkey server; write redis://HOST:PORT or rediss://…`,
    )
  const Class = await clientClass()
  const client = new Class(url, { ...valkeyClientOptions, lazyConnect: true })
  // Every call hears of its own fault.
  client.on('error', () => {})
  await client.connect().catch(() => {})
  const counters = valkeyCounters({ client, nodes: nodes ?? workers, onAway })
  return {
    counters,
    // A server that is frozen keeps its connections.
    problem() {
      const { open, failures } = counters.state()
      if (client.status !== 'ready')
        return 'the server of the counters is away; each bucket does as its onOutage says'
      return open
        ? `the server of the counters is connected but did not answer ${failures} times in a row; each bucket does as its onOutage says`
        : undefined
    },
    families() {
      const { open, withoutStore } = counters.state()
      const isAway = open || client.status !== 'ready'
      return [
        single(
          'gauge',
          'sallyport_counters_away',
          '1 while limits are counted without their server.',
          Number(isAway),
          'max',
        ),
        single(
          'counter',
          'sallyport_counters_decisions_without_server_total',
          'Questions to limits that were decided without their server.',
          withoutStore,
        ),
      ]
    },
    close: () => client.disconnect(),
  }
}
