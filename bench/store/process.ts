// A process of its own that opens an embedded store and uses it, while it watches how late its own timers are: `none` opens
// nothing, for comparison. Prints one line of JSON. Arguments: `none` or a folder, milliseconds.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore, organisationById, organisationInsert } from '@sallyport/store'

const [directory, milliseconds] = process.argv.slice(2)
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const started = performance.now()
const before = process.cpuUsage()
let opened = started
let cpu = process.cpuUsage(before)
let calls = 0
if (directory === 'none') await wait(Number(milliseconds))
else {
  const store = await openStore({ directory: directory! })
  opened = performance.now()
  cpu = process.cpuUsage(before)
  const end = opened + Number(milliseconds)
  for (; performance.now() < end; calls += 1) {
    const id = `${process.pid}-${calls}`
    await store.query(organisationInsert, [id, 'x'.repeat(2_000), 'free', null])
    await store.query(organisationById, [id])
  }
  delay.disable()
  await report()
  await store.close()
  process.exit()
}
delay.disable()
await report()

async function report(): Promise<void> {
  // The resolution is part of what is measured.
  const late = (nanoseconds: number) => nanoseconds / 1e6 - 5
  process.stdout.write(
    `${JSON.stringify({
      openMs: opened - started,
      openCpuMs: (cpu.user + cpu.system) / 1_000,
      rssMiB: process.memoryUsage.rss() / 2 ** 20,
      lateP99Ms: late(delay.percentile(99)),
      lateMaxMs: late(delay.max),
      calls,
    })}\n`,
  )
}
