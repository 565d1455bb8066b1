// Orders two settings of `request`: smaller sizes, fewer methods, "refuse" and no WebSocket are stronger.

import type { Change } from '../../guard/control.ts'
import { METHODS } from '../../policy/pattern.ts'
import { compareModes } from '../faces.ts'
import type { RequestSetting } from './setting.ts'

const SIZES = ['maxTargetBytes', 'maxHeaderCount', 'maxHeaderBytes', 'maxBodyBytes'] as const

const WHAT_PASSES = {
  maxTargetBytes: (limit: number) => `a target of ${limit} bytes`,
  maxHeaderCount: (limit: number) => `a request with ${limit} header lines`,
  maxHeaderBytes: (limit: number) => `a request head of ${limit} bytes`,
  maxBodyBytes: (limit: number) =>
    limit === Number.POSITIVE_INFINITY ? 'a body of any size' : `a body of ${limit} bytes`,
} as const

// Left out, it is "refuse" in one place and "strict" in another: between the two.
const RANK = { strict: 0, undefined: 1, refuse: 2 } as const

export function compareRequest(before: RequestSetting, after: RequestSetting): readonly Change[] {
  const modes = compareModes(before, after)
  // What does not enforce refuses nothing, whatever it says; but a WebSocket needs its word.
  if (!enforces(before) || !enforces(after)) return [...modes, ...socketChanges(before, after)]
  const changes: Change[] = [...modes]
  for (const what of SIZES) {
    const a = before[what] ?? Number.POSITIVE_INFINITY
    const b = after[what] ?? Number.POSITIVE_INFINITY
    if (a === b) continue
    changes.push(
      b < a
        ? { strength: 'stronger', what, because: `${WHAT_PASSES[what](a)} is refused now` }
        : { strength: 'weaker', what, because: `${WHAT_PASSES[what](b)} passes now` },
    )
  }
  const difference = RANK[after.nonCanonical ?? 'undefined'] - RANK[before.nonCanonical ?? 'undefined']
  if (difference !== 0)
    changes.push(
      difference > 0
        ? {
            strength: 'stronger',
            what: 'nonCanonical',
            because: 'a path that two programs may read differently is refused',
          }
        : {
            strength: 'weaker',
            what: 'nonCanonical',
            because: 'a request for /v1/%2e%2e/admin can reach the application',
          },
    )
  changes.push(...socketChanges(before, after))
  const had = methodsOf(before)
  const has = methodsOf(after)
  const added = [...has].filter((method) => !had.has(method))
  const removed = [...had].filter((method) => !has.has(method))
  if (added.length > 0)
    changes.push({
      strength: 'weaker',
      what: 'methods',
      because: `${added.join(', ')} can reach the application`,
    })
  if (removed.length > 0)
    changes.push({ strength: 'stronger', what: 'methods', because: `${removed.join(', ')} refused now` })
  return changes
}

function enforces({ mode = 'enforce' }: RequestSetting): boolean {
  return mode === 'enforce'
}

// Those of every policy need not be named.
function methodsOf({ methods = [] }: RequestSetting): ReadonlySet<string> {
  return new Set(methods.filter((method) => !(METHODS as readonly string[]).includes(method)))
}

function socketChanges(before: RequestSetting, after: RequestSetting): readonly Change[] {
  // A control that only reports still lets one open.
  const [opened, opens] = [before, after].map(({ mode, webSocket }) => mode !== 'off' && webSocket === true)
  if (opened === opens) return []
  const what = 'webSocket'
  return [
    opens
      ? {
          strength: 'weaker',
          what,
          because: 'a WebSocket can be opened, whose messages nothing here looks at',
        }
      : { strength: 'stronger', what, because: 'no WebSocket can be opened any more' },
  ]
}
