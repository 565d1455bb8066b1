// Everything that a gateway counts about its data listener, gathered when somebody asks.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Observation } from '../log/observation.ts'
import { createDurations } from './durations.ts'
import { createLabelledCounter, type Family, labelText, single } from './families.ts'

/** The counts of one process. */
export interface GatewayMetrics {
  observe(seen: Observation): void
  upstreamFailed(reason: string): void
  families(): readonly Family[]
  /** The 99th percentile of the event loop's delay since it was asked last; seconds. */
  eventLoopDelay(): number
  stop(): void
}

const LOOP_RESOLUTION_MS = 20

export function createGatewayMetrics(): GatewayMetrics {
  const durations = createDurations()
  const decisions = createLabelledCounter(
    'sallyport_decisions_total',
    'Requests that a control refused or answered.',
    ['control', 'action', 'code'],
  )
  const failures = createLabelledCounter(
    'sallyport_upstream_failures_total',
    'Requests that failed because of the upstream.',
    ['reason'],
    100,
  )
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  let received = 0
  let sent = 0

  // The resolution is a part of each measure.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION_MS / 1e3)

  return {
    observe(seen) {
      const { exchange, rule, code, decision } = seen
      durations.add(exchange.cell.id, exchange.incoming.method, seen.status, seen.durationMs / 1_000)
      received += seen.requestBytes ?? 0
      sent += seen.responseBytes ?? 0
      if (decision !== 'pass') decisions.add([rule ?? 'parser', decision, code ?? String(seen.status)])
    },
    upstreamFailed: (reason) => failures.add([reason]),
    eventLoopDelay() {
      const delay = seconds(loop.percentile(99))
      loop.reset()
      return delay
    },
    families: () => [
      durations.family(),
      decisions.family(),
      failures.family(),
      single(
        'counter',
        'sallyport_received_bytes_total',
        'Bytes received on HTTP/1.1, heads included.',
        received,
      ),
      single('counter', 'sallyport_sent_bytes_total', 'Bytes sent on HTTP/1.1, heads included.', sent),
      {
        name: 'nodejs_eventloop_delay_seconds',
        help: 'Delay of the event loop since the last reading; the worst of all processes.',
        type: 'gauge',
        merge: 'max',
        samples: [50, 99].map((percentile) => ({
          suffix: '',
          labels: labelText(['quantile'], [String(percentile / 100)]),
          value: seconds(loop.percentile(percentile)),
        })),
      },
      single(
        'gauge',
        'process_resident_memory_bytes',
        'Resident memory, of all processes.',
        process.memoryUsage.rss(),
      ),
      single('counter', 'process_cpu_seconds_total', 'CPU time, of all processes.', cpuSeconds()),
    ],
    stop: () => void loop.disable(),
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
