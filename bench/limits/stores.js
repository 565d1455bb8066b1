// One limiter behind one call, so that each is asked the same way. Plain JavaScript: the peers install apart, and the
// types of the workspace do not know them.

import { memoryCounters } from '../../packages/sallyport/src/counters/memory.ts'

const limit = 1000
const windowSeconds = 3600

/** Where is counted: a key in, a count out. @type {Record<string, (keys: number) => Promise<(key: string) => unknown>>} */
export const stores = {
  'sallyport strict': async (keys) => ours('strict', keys),
  'sallyport smooth': async (keys) => ours('smooth', keys),
  'sallyport exact': async (keys) => ours('exact', keys),
  'express-rate-limit': async () => {
    const { MemoryStore } = await import('express-rate-limit')
    const store = new MemoryStore()
    store.init({ windowMs: windowSeconds * 1000 })
    return (key) => store.increment(key)
  },
  'rate-limiter-flexible': async () => {
    const { RateLimiterMemory } = await import('rate-limiter-flexible')
    const limiter = new RateLimiterMemory({ points: limit, duration: windowSeconds })
    return (key) => limiter.consume(key)
  },
}

/** All that a request pays: an address in, `next` or a refusal and the lines of the answer out. */
export const requests = {
  'sallyport strict': async (keys) => ourControl('strict', keys),
  'sallyport smooth': async (keys) => ourControl('smooth', keys),
  'sallyport exact': async (keys) => ourControl('exact', keys),
  'express-rate-limit': async () => theirMiddleware({}),
  'express-rate-limit, the same lines': async () => theirMiddleware({ standardHeaders: 'draft-6' }),
}

function countersFor(algorithm, keys) {
  const room = Math.ceil(keys * 1.25)
  return memoryCounters({
    strictCallers: algorithm === 'strict' ? room : 8,
    smoothCallers: algorithm === 'smooth' ? room : 8,
    exactCallers: algorithm === 'exact' ? room : 8,
    // A block of 16 for each caller.
    exactRecords: algorithm === 'exact' ? keys * 16 : 16,
  })
}

function ours(algorithm, keys) {
  const counters = countersFor(algorithm, keys)
  const windowMs = windowSeconds * 1000
  return (key) => counters.take([{ bucket: 'address', key, limit, windowMs, algorithm, cost: 1 }])
}

// The guard opens the exchange and finds its cell, as for each request; of the controls only this one acts.
async function ourControl(algorithm, keys) {
  const { createGuard } = await import('../../packages/sallyport/src/guard/guard.ts')
  const bucket = { limit, windowSeconds, algorithm }
  const guard = createGuard({ limits: { addresses: { buckets: { address: bucket } } } }, 'node', {
    services: { counters: countersFor(algorithm, keys) },
  })
  const of = 'SP-LIMITS-01'
  let wire = 0
  return (address) => {
    const exchange = guard.open({
      method: 'GET',
      target: '/v1/account',
      httpVersion: '1.1',
      rawHeaders: [],
      header: () => undefined,
      peer: address,
      encrypted: true,
    })
    const { admit, admitIds, perAnswer } = exchange.cell.compiled
    for (let at = 0; at < admit.length; at++)
      if (admitIds[at] === of && admit[at](exchange)) throw new Error('refused')
    for (let at = 0; at < perAnswer.length; at++) wire += perAnswer[at](exchange, 200, exchange).wire.length
    return wire
  }
}

// As Express calls it, with requests and answers that cost next to nothing.
async function theirMiddleware(headers) {
  const { rateLimit } = await import('express-rate-limit')
  const middleware = rateLimit({ windowMs: windowSeconds * 1000, limit, ...headers })
  const app = { get: () => false }
  const next = (error) => {
    if (error) throw error
  }
  return (ip) => {
    const lines = {}
    const response = {
      headersSent: false,
      setHeader(name, value) {
        lines[name] = value
      },
    }
    return middleware({ ip, headers: {}, app, originalUrl: '/v1/account' }, response, next)
  }
}
