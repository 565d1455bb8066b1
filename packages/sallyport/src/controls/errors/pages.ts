// Answers the addresses that the `type` of a problem names, so that every code leads to its explanation.

import { isErrorCode, problemIndex, problemPage } from '../../errors/page.ts'
import { PROBLEM_BASE } from '../../errors/problem-document.ts'
import { type CellInfo, mayBeWellKnown } from '../../guard/cell.ts'
import type { Answer, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'

const HEADERS = lines([['Content-Type', 'text/html; charset=utf-8']])
const ALLOW = lines([['Allow', 'GET, HEAD']])
const INDEX = PROBLEM_BASE.slice(0, -1)

/** False where no path of the cell can be one of ours; then nothing is compiled into it. */
export function mayHoldPages({ origin, path }: Pick<CellInfo, 'origin' | 'path'>): boolean {
  return origin !== 'strict' && mayBeWellKnown({ path })
}

/** The page that the request asks for; `undefined` for every other path. */
export function answerPage(exchange: Exchange): Verdict {
  const { path } = exchange
  if (!path.startsWith(INDEX) || (path.length > INDEX.length && path[INDEX.length] !== '/')) return undefined
  const { method } = exchange.incoming
  if (method === 'OPTIONS') return undefined
  if (method !== 'GET' && method !== 'HEAD')
    return { kind: 'deny', code: 'method_not_allowed', headers: ALLOW }
  const code = path.slice(PROBLEM_BASE.length)
  if (code === '') return page(problemIndex())
  return isErrorCode(code) ? page(problemPage(code)) : { kind: 'deny', code: 'not_found' }
}

function page(body: string): Answer {
  return { kind: 'answer', status: 200, headers: HEADERS, body }
}
