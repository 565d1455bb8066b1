// The policy that changes nothing: each header that every answer carries in the same meaning becomes the policy's, all
// else stays the application's, and no control refuses, removes or rewrites anything.

import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'
import { linesOf, type Observed } from './observed.ts'
import { READABLE, readHeader } from './read-header.ts'

/** The policy, and what it leaves to the application. */
export interface Inferred {
  readonly policy: PolicyDocument
  /** Headers that were taken over. */
  readonly taken: readonly string[]
  /** Headers that were seen and stay the application's, each with the reason. */
  readonly left: readonly { readonly header: string; readonly because: string }[]
}

/** Every control that acts by itself, put to rest. */
const AT_REST = {
  headers: { strip: false },
  cache: { mode: 'off' },
  client: { requestId: false, traceContext: false },
  request: { mode: 'off' },
  errors: { mode: 'off' },
} as const satisfies PolicyDocument

type Settings = Record<string, Record<string, unknown>>

/** Infers the policy from what was seen. */
export function inferPolicy({ answers }: Observed): Inferred {
  let settings: Settings = structuredClone(AT_REST) as unknown as Settings
  const taken: string[] = []
  const left: { header: string; because: string }[] = []
  for (const header of READABLE) {
    const lines = linesOf(answers, header)
    const sent = lines.filter((each) => each.length > 0)
    if (sent.length === 0) continue
    const because = reasonToLeave(header, lines, answers.length)
    const read = because === undefined ? readHeader(header, sent[0]![0]!) : undefined
    if (read === undefined) {
      left.push({ header, because: because ?? 'no setting of a policy says this value' })
      continue
    }
    const next = structuredClone(settings)
    next[read.control] = { ...next[read.control], [read.key]: read.value }
    const refused = whyRefused(next)
    if (refused === undefined) {
      settings = next
      taken.push(header)
    } else left.push({ header, because: refused })
  }
  return { policy: settings as unknown as PolicyDocument, taken, left }
}

function reasonToLeave(
  header: string,
  lines: readonly (readonly string[])[],
  count: number,
): string | undefined {
  const without = lines.filter((each) => each.length === 0).length
  if (without > 0) return `${without} of ${count} answers have none`
  if (lines.some((each) => each.length > 1)) return 'an answer has several'
  const meanings = new Set(lines.map(([value]) => JSON.stringify(readHeader(header, value!) ?? value)))
  return meanings.size > 1 ? `it is not the same everywhere (${meanings.size} values)` : undefined
}

// A policy refuses what contradicts itself; the application may go on sending it.
function whyRefused(settings: Settings): string | undefined {
  try {
    resolvePolicy(settings as unknown as PolicyDocument)
    return undefined
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return `a policy refuses the value: ${error.problems[0]!.message}`
  }
}
