// The bytes of one answer: where its head ends, where it ends, and how it is written again with something changed.

import type { Broken, Line } from './mutation.ts'
import { valuesIn, without } from './mutation.ts'

const HEAD_END = '\r\n\r\n'

/** The head of a final answer and the bytes around it; one character a byte. */
export interface ReadAnswer {
  /** Interim answers, as they came. */
  readonly interim: string
  readonly status: number
  readonly lines: readonly Line[]
  /** What has come of the body. */
  readonly rest: string
  readonly complete: boolean
}

/** Reads what has come; `undefined` while the head is not there. */
export function readAnswer(bytes: string, method: string): ReadAnswer | undefined {
  let from = 0
  for (;;) {
    const end = bytes.indexOf(HEAD_END, from)
    if (end < 0) return undefined
    const [first = '', ...rest] = bytes.slice(from, end).split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0)
    if (status >= 100 && status < 200 && status !== 101) {
      from = end + HEAD_END.length
      continue
    }
    const lines = rest.map((line): Line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    })
    const body = bytes.slice(end + HEAD_END.length)
    return {
      interim: bytes.slice(0, from),
      status,
      lines,
      rest: body,
      complete: isComplete(method, status, lines, body),
    }
  }
}

function isComplete(method: string, status: number, lines: readonly Line[], body: string): boolean {
  if (method === 'HEAD' || status === 204 || status === 304) return true
  if (valuesIn(lines, 'transfer-encoding').length > 0) return body.endsWith('0\r\n\r\n')
  const length = valuesIn(lines, 'content-length')[0]
  return length !== undefined && body.length >= Number(length)
}

/** The answer with what is broken in it. */
export function writeAnswer(answer: ReadAnswer, method: string, broken: Broken): string {
  const status = broken.status ?? answer.status
  let lines = broken.lines ?? answer.lines
  let body = answer.rest
  if (broken.body !== undefined) {
    body = Buffer.from(broken.body, 'utf8').toString('latin1')
    lines = [...without(without(lines, 'Content-Length'), 'Transfer-Encoding')]
    if (status !== 204 && status !== 304) lines = [...lines, ['Content-Length', String(body.length)]]
    if (method === 'HEAD') body = ''
  }
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${answer.interim}HTTP/1.1 ${status} Status\r\n${head}\r\n${body}`
}
