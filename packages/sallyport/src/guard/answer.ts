// The guard's own answers: what a verdict looks like as status, lines and body.

import { catalogue, type ErrorCode } from '../errors/catalogue.ts'
import { PROBLEM_TYPE, problemBody } from '../errors/problem-document.ts'
import type { Answer, Denial } from './control.ts'
import type { Exchange } from './exchange.ts'

/** A whole answer, before the cell's own lines are put on it. */
export interface Reply {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly close: boolean
}

/** What is sent for a verdict. */
export function replyFor(verdict: Denial | Answer, exchange: Exchange): Reply {
  if (verdict.kind === 'answer')
    return { status: verdict.status, headers: verdict.headers.pairs, body: verdict.body, close: false }
  const { status } = catalogue[verdict.code]
  return {
    status,
    headers: [['Content-Type', PROBLEM_TYPE], ...(verdict.headers?.pairs ?? [])],
    body: withMembers(problemBody(verdict.code, exchange.requestId), verdict),
    close: verdict.close === true,
  }
}

// RFC 9457, section 3.2: extension members.
function withMembers(body: string, { errors, key, challenge }: Denial): string {
  if (errors === undefined && key === undefined && challenge === undefined) return body
  const members = JSON.stringify({
    ...(errors && { errors }),
    ...(key !== undefined && { key }),
    ...(challenge && { challenge }),
  })
  return `${body.slice(0, -1)},${members.slice(1)}`
}

/** What is sent for a bare code, where no control judged. */
export function replyForCode(code: ErrorCode, exchange: Exchange): Reply {
  return replyFor({ kind: 'deny', code, close: true }, exchange)
}
