// Counting in a Redis server of its own: CPU time of the client and of the server for one decision, ours beside
// rate-limiter-flexible. Prints JSON.

import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { leasedCounters } from '../../packages/sallyport/src/counters/leases.ts'
import { valkeyClientOptions, valkeyCounters } from '../../packages/store/src/valkey/index.ts'

const [what, port, pid, count] = [
  process.argv[2],
  Number(process.argv[3]),
  process.argv[4],
  Number(process.argv[5]),
]
const client = new Redis(port, '127.0.0.1', { ...valkeyClientOptions, lazyConnect: true })
await client.connect()
await client.flushall()

const inFlight = 64
const bucket = (name, key) => ({
  bucket: name,
  key,
  limit: 1_000_000,
  windowMs: 3_600_000,
  algorithm: 'strict',
  cost: 1,
})
// The limit of the lease's callers: 65 000 for each of a hundred, so that none is refused.
const wide = (name, key) => ({ ...bucket(name, key), limit: 65_000 })
const names = ['second', 'minute', 'day']
const strict = valkeyCounters({ client, nodes: 1, timer: () => () => {} })
const leases = leasedCounters({ counters: strict })

async function flexible(points) {
  const { RateLimiterRedis } = await import('rate-limiter-flexible')
  return names.map(
    (keyPrefix) => new RateLimiterRedis({ storeClient: client, keyPrefix, points, duration: 3600 }),
  )
}

const limiters = what.startsWith('flexible') ? await flexible(1_000_000) : []
const asks = {
  three: (key) => strict.take(names.map((name) => wide(name, key))),
  leases: (key) => leases.take([wide('minute', key)]),
  'flexible three': (key) => Promise.all(limiters.map((limiter) => limiter.consume(key))),
  'flexible one': (key) => limiters[0].consume(key),
}
const ask = asks[what]
const keys = what === 'leases' || what === 'flexible one' ? 100 : 10_000

// Fields 14 and 15 of /proc/PID/stat are in hundredths of a second.
const serverUs = () => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
let sent = 0
const sendCommand = client.sendCommand.bind(client)
client.sendCommand = (command) => {
  sent++
  return sendCommand(command)
}

async function run(decisions) {
  let next = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < decisions) {
        const answer = ask(`caller ${next++ % keys}`)
        if (answer instanceof Promise) await answer
      }
    }),
  )
}

await run(Math.ceil(count / 10))
const [before, serverBefore, sentBefore] = [process.cpuUsage(), serverUs(), sent]
const start = performance.now()
await run(count)
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(before)
console.log(
  JSON.stringify({
    clientUs: (user + system) / count,
    serverUs: (serverUs() - serverBefore) / count,
    perSecond: count / seconds,
    tripsPerThousand: ((sent - sentBefore) / count) * 1000,
  }),
)
client.disconnect()
