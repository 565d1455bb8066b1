// Counting requests: the port, the counters in memory, and the bounds that hold.

export {
  burstOf,
  type CounterDecision,
  type CounterRequest,
  type Counters,
  type CounterVerdict,
  type CountingAlgorithm,
  checkCounterRequests,
  localShare,
  type OutageMode,
} from '../ports/counters.ts'
export { type CounterBound, type CounterDeployment, counterBounds } from './bounds.ts'
export { type EventLoopDelay, type EventLoopDelayOptions, eventLoopDelay } from './event-loop.ts'
export { type LeasedCountersOptions, leasedCounters } from './leases.ts'
export { type MemoryCounters, type MemoryCountersOptions, memoryCounters } from './memory.ts'
