// Laying one policy over another: objects merge field by field, everything else is replaced by the upper layer.

import { isPlainObject } from './schema.ts'

/** The lower layer with the upper one laid over it; neither is changed. */
export function layer<T>(lower: T, upper: unknown): T {
  if (upper === undefined) return lower
  if (!isPlainObject(lower) || !isPlainObject(upper)) return upper as T
  const merged: Record<string, unknown> = { ...lower }
  for (const [key, value] of Object.entries(upper)) {
    if (key === '__proto__') continue
    merged[key] = Object.hasOwn(merged, key) ? layer(merged[key], value) : value
  }
  return merged as T
}
