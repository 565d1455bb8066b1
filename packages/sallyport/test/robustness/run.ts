// Runs one case on a fresh connection and judges it: what reached the application, what the answers were, and whether
// the connection stayed in step. The good request that follows each case shows where the server thinks the case ended.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { type Answer, readAnswers, valuesOf } from './answers.ts'
import type { RawCase, Reached } from './case.ts'

/** The policy under which every case is judged. */
export const ROBUSTNESS_POLICY: PolicyDocument = {
  extends: 'recommended',
  request: { nonCanonical: 'refuse' },
}

/** A server under the policy, and what stands behind it. */
export interface Subject {
  /** Opens a connection to it. */
  connect(): Socket
  /** The whole requests that the application or the upstream has read since the last call, in order; empties the list. */
  taken(): readonly Reached[]
  /** Names of the policy's header lines, each with the values that are right; `policyLines` makes them. */
  readonly lines: PolicyLines
}

export type PolicyLines = ReadonlyMap<string, ReadonlySet<string>>

/** What became of a case. */
export interface Outcome {
  readonly verdict: 'refused' | 'accepted' | 'wrong'
  /** Why it is wrong: the first reason found. */
  readonly wrong: string | undefined
  readonly reached: readonly Reached[]
  readonly statuses: readonly number[]
}

/** How the bytes are sent. */
export interface Way {
  /** Where they are cut into separate writes, rising; one write where nothing is said. */
  readonly cuts?: readonly number[]
  /** True where a good request comes before the case, in the same write: it must be served as if nothing followed. */
  readonly behind?: boolean
}

const BEFORE: Reached = { method: 'GET', target: '/before', body: '' }
const BEFORE_BYTES = 'GET /before HTTP/1.1\r\nHost: api.example.com\r\n\r\n'

/** Follows each case on its connection. */
const AFTER: Reached = { method: 'GET', target: '/after', body: '' }
const AFTER_BYTES = 'GET /after HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n'

/** The lines that a policy puts on every answer; the values may differ by cell. */
export function policyLines(policy: PolicyDocument): PolicyLines {
  const lines = new Map<string, Set<string>>()
  for (const cell of createGuard(policy, 'node').cells)
    for (const [name, value] of cell.compiled.fixed.pairs) {
      const key = name.toLowerCase()
      lines.set(key, (lines.get(key) ?? new Set()).add(value))
    }
  return lines
}

// Only so that a server which never closes fails one case instead of the run.
const HANG_MS = 10_000

/** Runs a case. */
export async function runCase(
  subject: Subject,
  raw: RawCase,
  { cuts = [], behind = false }: Way = {},
): Promise<Outcome> {
  subject.taken()
  const bytes = (behind ? BEFORE_BYTES : '') + bytesOf(raw)
  const socket = subject.connect()
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  // A server that refuses may reset while we still write: that is a closed connection, not a failure.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let hung = false
  socket.setTimeout(HANG_MS, () => {
    hung = true
    socket.destroy()
  })
  await once(socket, socket instanceof TLSSocket ? 'secureConnect' : 'connect')
  socket.setNoDelay(true)
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    if (socket.destroyed) break
    socket.write(Buffer.from(bytes.slice(from, cut), 'latin1'))
    from = cut
    await setImmediate()
  }
  if (raw.truncated) socket.end()
  await closed
  const outcome = judge(subject, raw, Buffer.concat(received).toString('latin1'), subject.taken(), behind)
  return hung ? { ...outcome, verdict: 'wrong', wrong: 'the connection was left open' } : outcome
}

/** All the bytes of a case, with the request that follows it. */
export function bytesOf(raw: RawCase): string {
  return raw.truncated ? raw.bytes() : raw.bytes() + AFTER_BYTES
}

function judge(
  subject: Subject,
  raw: RawCase,
  bytes: string,
  everything: readonly Reached[],
  behind: boolean,
): Outcome {
  const first = everything[0]
  const reached = behind ? everything.slice(1) : everything
  const isHead = raw.sees?.method === 'HEAD' && reached.length > 0
  const { answers: all, fault } = readAnswers(bytes, behind ? [false, isHead] : [isHead])
  const answers = behind ? all.slice(1) : all
  const statuses = answers.map(({ status }) => status)
  const outcome: Conclude = (verdict, wrong) => ({ verdict, wrong, reached, statuses })
  if (fault) return outcome('wrong', `the answer has ${fault}`)
  for (const answer of all) {
    const wrong = policyFault(answer, subject.lines)
    if (wrong) return outcome('wrong', `the answer ${answer.status} ${wrong}`)
  }
  if (behind && (first === undefined || show(first) !== show(BEFORE) || all[0]?.status !== 200))
    return outcome(
      'wrong',
      `the request before it was answered with ${all[0]?.status ?? 'a closed connection'}`,
    )
  if (reached.length === 0) return judgeRefusal(raw, answers, outcome)
  return judgeAcceptance(raw, reached, statuses, outcome)
}

type Conclude = (verdict: Outcome['verdict'], wrong?: string) => Outcome

function judgeRefusal(raw: RawCase, answers: readonly Answer[], outcome: Conclude): Outcome {
  const [answer, second] = answers
  if (second) return outcome('wrong', 'a refused connection has two answers')
  if (answer) {
    if (answer.status < 400)
      return outcome('wrong', `answered ${answer.status}, and nothing has reached the application`)
    if (answer.status >= 500 && answer.status !== 501 && answer.status !== 505)
      return outcome('wrong', `answered ${answer.status}: the request is the client’s fault`)
    if (valuesOf(answer, 'connection')[0]?.toLowerCase() !== 'close')
      return outcome('wrong', 'the refusal does not announce that the connection closes')
    if (
      raw.sees?.method !== 'HEAD' &&
      !valuesOf(answer, 'content-type')[0]?.startsWith('application/problem+json')
    )
      return outcome('wrong', 'the refusal is no problem document')
  }
  return raw.expect === 'accept'
    ? outcome('wrong', `refused with ${answer?.status ?? 'a closed connection'}`)
    : outcome('refused')
}

function judgeAcceptance(
  raw: RawCase,
  reached: readonly Reached[],
  statuses: readonly number[],
  outcome: Conclude,
): Outcome {
  if (raw.expect === 'refuse' || !raw.sees)
    return outcome('wrong', `reached the application as ${reached.map(show).join(' and ')}`)
  // Where both are right, the server may also close after the answer.
  const closes = raw.closes === true || (raw.expect === 'either' && reached.length === 1)
  const expected = closes ? [raw.sees] : [raw.sees, AFTER]
  if (
    reached.length !== expected.length ||
    reached.some((request, i) => show(request) !== show(expected[i]!))
  )
    return outcome('wrong', `reached the application as ${reached.map(show).join(' and ')}`)
  if (statuses.length !== expected.length || statuses.some((status) => status !== 200))
    return outcome('wrong', `answered ${statuses.join(', ') || 'nothing'} for ${expected.length} requests`)
  return outcome('accepted')
}

function show({ method, target, body }: Reached): string {
  return `${method} ${target} ${JSON.stringify(body)}`
}

function policyFault(answer: Answer, lines: PolicyLines): string | undefined {
  for (const [name, values] of lines) {
    const found = valuesOf(answer, name)
    if (found.length !== 1) return `has ${found.length} lines of ${name}`
    if (!values.has(found[0]!)) return `has ${name}: ${found[0]}`
  }
  return undefined
}
