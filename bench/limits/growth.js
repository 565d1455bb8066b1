// Very many callers in one process: its memory, and the longest pause of its event loop beside that of a process that
// does nothing at the same time. Prints JSON.

import { spawn } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { memoryCounters } from '../../packages/sallyport/src/counters/memory.ts'

const [algorithm, count] = [process.argv[2], Number(process.argv[3])]

// The idle process runs this same file.
if (algorithm === 'idle') {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on('message', () => {
    process.send(delay.max / 1e6)
    process.disconnect()
    process.exit(0)
  })
} else {
  const idle = spawn(process.execPath, [fileURLToPath(import.meta.url), 'idle'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const room = Math.ceil(count * 1.25)
  // Running TypeScript as it is takes memory of its own.
  const { rss: before } = process.memoryUsage()
  const counters = memoryCounters({
    strictCallers: algorithm === 'strict' ? room : 8,
    smoothCallers: algorithm === 'smooth' ? room : 8,
    exactCallers: 8,
    exactRecords: 16,
  })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let at = 0
  // By the process's own CPU time as well: on a busy machine most of a pause is other processes' turn.
  let turnMs = 0
  while (at < count) {
    const turn = process.cpuUsage()
    for (let end = Math.min(count, at + 100); at < end; at++)
      counters.take([
        { bucket: 'address', key: `k${at}`, limit: 1000, windowMs: 3_600_000, algorithm, cost: 1 },
      ])
    const { user, system } = process.cpuUsage(turn)
    turnMs = Math.max(turnMs, (user + system) / 1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const pauseMs = delay.max / 1e6
  const idleMs = await new Promise((resolve) => {
    idle.once('message', resolve)
    idle.send('enough')
  })
  const rss = process.memoryUsage().rss - before
  console.log(JSON.stringify({ rss, turnMs, pauseMs, idleMs, overflowed: counters.overflowed() }))
  process.exit(0)
}
