// Checking a key that is known, and what a million of them take: beside a verification by Web Crypto, which most Node
// applications use. In a process of its own, since memory is measured.

import { execFileSync } from 'node:child_process'
import { randomFillSync, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { createGuard } from 'sallyport'
import { createKeyRing, digestOf, type KeyRecord, type KeyRecords, keyFormat } from 'sallyport/keys'

const self = fileURLToPath(import.meta.url)
const BUSY = 1_000
const BATCH = 50

interface Measured {
  readonly bytes: number
  readonly ringUs: number
  readonly guardUs: number
  readonly garbageUs: number
  readonly subtleUs: number
}

/** Answers the table. */
export function benchKeys(rounds: number, keys: number): string {
  const runs = Array.from({ length: rounds }, () => {
    const output = execFileSync(
      process.execPath,
      ['--expose-gc', '--max-old-space-size=2048', self, `${keys}`],
      { encoding: 'utf8' },
    )
    return JSON.parse(output) as Measured
  })
  const of = (field: keyof Measured) => median(runs.map((run) => run[field]))
  return [
    '### API keys',
    '',
    `${keys} keys of as many organisations are known, ${BUSY} of them busy; medians of ${rounds} rounds.`,
    '',
    '| | median |',
    '|---|---|',
    `| a known key: checksum, SHA-256, record | ${of('ringUs').toFixed(2)} µs |`,
    `| the same with the guard around it, up to who calls | ${of('guardUs').toFixed(2)} µs |`,
    `| a key with a wrong checksum | ${of('garbageUs').toFixed(2)} µs |`,
    `| crypto.subtle.digest, hexadecimal, Map | ${of('subtleUs').toFixed(2)} µs |`,
    `| memory a key | ${of('bytes').toFixed(0)} bytes |`,
  ].join('\n')
}

async function measure(count: number): Promise<Measured> {
  const format = keyFormat('acme')
  const random = (bytes: Uint8Array) => randomFillSync(bytes)
  const newKey = () => format.make({ kind: 'secret', environment: 'live' }, random)
  let next: KeyRecord
  const records: KeyRecords = {
    find: async () => next,
    revocations: async () => ({ seq: 0, ended: [], isCut: false }),
    used: async () => {},
  }
  // A clock that stands, so that all are believed at the end.
  const ring = createKeyRing(records, { clock: () => 1, after: () => () => {} })
  await ring.ready
  const busy: string[] = []
  const held = () => {
    globalThis.gc!()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = held()
  for (let made = 0; made < count; made++) {
    const key = newKey()
    next = recordOf(format.display(key), made)
    await ring.find(key)
    if (made % Math.ceil(count / BUSY) === 0) busy.push(key)
  }
  const bytes = (held() - before) / count
  const guard = createGuard(
    { transport: { tls: 'in-front' }, access: { mode: 'off' }, keys: { vendor: 'acme' } },
    'node',
    { services: { keys: ring } },
  )
  const asked = busy.map((key) => {
    const authorization = `Bearer ${key}`
    return {
      method: 'GET',
      target: '/v1/orders',
      httpVersion: '1.1',
      rawHeaders: ['Host', 'a', 'Authorization', authorization],
      header: (name: string) =>
        name === 'authorization' ? authorization : name === 'host' ? 'a' : undefined,
      peer: '192.0.2.1',
      encrypted: false,
    }
  })
  const garbage = busy.map((key) => `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)
  const known = new Map(busy.map((key) => [hex(Buffer.from(digestOf(key) as string, 'latin1')), key]))
  return {
    bytes,
    ringUs: medianUs(
      (at) => typeof (ring.find(busy[at]!) as { readonly record?: object }).record === 'object',
    ),
    guardUs: medianUs((at) => {
      const exchange = guard.open(asked[at]!)
      return guard.admit(exchange) === undefined && exchange.principal !== undefined
    }),
    garbageUs: medianUs((at) => format.read(garbage[at]!) === undefined),
    subtleUs: await medianUsAsync(async (at) => {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(busy[at]!))
      return known.has(hex(new Uint8Array(digest)))
    }),
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function recordOf(display: string, number: number): KeyRecord {
  return {
    id: randomUUID(),
    kind: 'secret',
    environment: 'live',
    organisation: randomUUID(),
    owner: randomUUID(),
    name: `Till ${number}`,
    display,
    plan: number % 2 === 0 ? 'free' : 'pro',
    scopes: ['orders:read', 'orders:write'],
    ownerScopes: ['orders:read'],
    ownerRole: 'member',
    origins: [],
    cidrs: [],
    createdAt: 1_800_000_000_000,
    expiresAt: 9_000_000_000_000,
    generation: 1,
  }
}

const BATCHES = 4_000

function medianUs(once: (at: number) => boolean): number {
  const times: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const began = performance.now()
    for (let at = 0; at < BATCH; at++) if (!once((batch * BATCH + at) % BUSY)) throw new Error('wrong answer')
    times.push(performance.now() - began)
  }
  return (median(times) * 1_000) / BATCH
}

async function medianUsAsync(once: (at: number) => Promise<boolean>): Promise<number> {
  const times: number[] = []
  for (let batch = 0; batch < BATCHES / 10; batch++) {
    const began = performance.now()
    for (let at = 0; at < BATCH; at++)
      if (!(await once((batch * BATCH + at) % BUSY))) throw new Error('wrong answer')
    times.push(performance.now() - began)
  }
  return (median(times) * 1_000) / BATCH
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

if (process.argv[1] === self) console.log(JSON.stringify(await measure(Number(process.argv[2]))))
