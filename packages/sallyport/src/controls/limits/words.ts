// Buckets in words.

import type { Bucket } from './buckets.ts'

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const

/** `minute`, `15 minutes`, `90 s` */
function windowWords(windowMs: number): string {
  const seconds = windowMs / 1000
  for (const [unit, name] of UNITS)
    if (seconds % unit === 0) return seconds === unit ? name : `${seconds / unit} ${name}s`
  return seconds === 1 ? 'second' : `${seconds} s`
}

/** `100 per minute`, `100 per minute, at most 10 at once (smooth)` */
export function bucketWords({ limit, windowMs, algorithm, burst }: Bucket): string {
  const amount = `${limit} per ${windowWords(windowMs)}`
  if (algorithm === 'exact') return amount
  return burst === undefined
    ? `${amount} (${algorithm})`
    : `${amount}, at most ${burst} at once (${algorithm})`
}
