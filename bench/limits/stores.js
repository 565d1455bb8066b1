// One limiter behind one call, so that each is asked the same way. Plain JavaScript: the peers install apart, and the
// types of the workspace do not know them.

import { memoryCounters } from '../../packages/sallyport/src/counters/memory.ts'

/** @type {Record<string, (keys: number) => Promise<(key: string) => unknown>>} */
export const stores = {
  'sallyport strict': async (keys) => ours('strict', keys),
  'sallyport smooth': async (keys) => ours('smooth', keys),
  'express-rate-limit': async () => {
    const { MemoryStore } = await import('express-rate-limit')
    const store = new MemoryStore()
    store.init({ windowMs: 3_600_000 })
    return (key) => store.increment(key)
  },
  'rate-limiter-flexible': async () => {
    const { RateLimiterMemory } = await import('rate-limiter-flexible')
    const limiter = new RateLimiterMemory({ points: 1000, duration: 3600 })
    return (key) => limiter.consume(key)
  },
}

function ours(algorithm, keys) {
  const room = Math.ceil(keys * 1.25)
  const counters = memoryCounters({
    strictCallers: algorithm === 'strict' ? room : 8,
    smoothCallers: algorithm === 'smooth' ? room : 8,
    exactCallers: 8,
    exactRecords: 16,
  })
  return (key) =>
    counters.take([{ bucket: 'address', key, limit: 1000, windowMs: 3_600_000, algorithm, cost: 1 }])
}
