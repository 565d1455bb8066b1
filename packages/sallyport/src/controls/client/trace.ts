// W3C Trace Context, level 2: a trusted caller's trace is continued, every other request starts one.

import type { RandomHex } from './identifiers.ts'

/** A trace that can be continued. */
export interface Trace {
  readonly traceId: string
  readonly parentId: string
  readonly sampled: boolean
  readonly random: boolean
}

const FIELDS = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/
const LENGTH = 55

/**
 * Reads a traceparent; `undefined` for what must be ignored.
 *
 * @see Trace Context level 2, sections 3.2.2 (version 00) and 3.2.4 (versions to come)
 */
export function parseTraceparent(value: string): Trace | undefined {
  const match = FIELDS.exec(value)
  if (!match) return undefined
  const [, version, traceId, parentId, flags] = match
  if (version === 'ff') return undefined
  // A later version may add fields, after a dash.
  if (value.length > LENGTH && (version === '00' || value[LENGTH] !== '-')) return undefined
  if (isZero(traceId!) || isZero(parentId!)) return undefined
  const bits = Number.parseInt(flags!, 16)
  return { traceId: traceId!, parentId: parentId!, sampled: (bits & 1) !== 0, random: (bits & 2) !== 0 }
}

function isZero(id: string): boolean {
  return /^0+$/.test(id)
}

/**
 * The traceparent to hand on: the same trace under a parent id of our own, or a new trace. Only the two flags that
 * version 00 knows are handed on (section 3.2.2.5). A new trace says sampled: with "not sampled" the tracers behind
 * us would drop every request that we let through.
 */
export function nextTraceparent(trace: Trace | undefined, random: RandomHex): string {
  if (!trace) return `00-${nonZero(random(16))}-${nonZero(random(8))}-03`
  const flags = (trace.sampled ? 1 : 0) | (trace.random ? 2 : 0)
  return `00-${trace.traceId}-${nonZero(random(8))}-0${flags}`
}

// All zeros is invalid; at random it never comes, from a source under test it does.
function nonZero(id: string): string {
  return isZero(id) ? `${id.slice(1)}1` : id
}
