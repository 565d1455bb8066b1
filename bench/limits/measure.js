// One limiter with many callers in a process of its own: CPU time of a decision, bytes for each caller. Prints JSON.

import { requests, stores } from './stores.js'

const [kind, name, count] = [process.argv[2], process.argv[3], Number(process.argv[4])]
const key = (index) => `198.${16 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`
globalThis.gc()
const before = process.memoryUsage()
const ask = await { stores, requests }[kind][name](count)

async function cpu(decisions, next) {
  const start = process.cpuUsage()
  for (let at = 0; at < decisions; at++) {
    const answer = ask(key(next(at)))
    if (answer instanceof Promise) await answer
  }
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1000) / decisions
}

const insertNs = await cpu(count, (at) => at)
globalThis.gc()
const after = process.memoryUsage()
let random = 1
const hitNs = await cpu(count, () => {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
  return random % count
})
const bytes = (after.heapUsed + after.external - before.heapUsed - before.external) / count
console.log(JSON.stringify({ insertNs, hitNs, bytes, rss: after.rss }))
process.exit(0)
