// Reads what a server wrote on a connection, strictly: an answer that two clients could read differently is a fault.

/** One answer; interim answers (1xx) are left out. */
export interface Answer {
  readonly status: number
  /** Every line in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** The answers in order, and what is wrong with the bytes. */
export interface Answers {
  readonly answers: readonly Answer[]
  readonly fault: string | undefined
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e]*$/
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\t\x20-\x7e]*)$/

/**
 * Reads all answers of a connection, one character for a byte.
 *
 * @param heads for each answer in turn, whether it answers HEAD and so has no body
 */
export function readAnswers(bytes: string, heads: readonly boolean[] = []): Answers {
  const answers: Answer[] = []
  let rest = bytes
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return { answers, fault: `an incomplete head: ${JSON.stringify(rest.slice(0, 80))}` }
    const [first = '', ...fieldLines] = rest.slice(0, end).split('\r\n')
    rest = rest.slice(end + 4)
    const status = Number(STATUS_LINE.exec(first)?.[1])
    if (Number.isNaN(status))
      return { answers, fault: `no status line: ${JSON.stringify(first.slice(0, 80))}` }
    const headers: (readonly [string, string])[] = []
    for (const line of fieldLines) {
      const match = FIELD_LINE.exec(line)
      if (!match) return { answers, fault: `no header line: ${JSON.stringify(line.slice(0, 80))}` }
      headers.push([match[1]!, match[2]!])
    }
    if (status < 200) continue
    const hasBody = !(heads[answers.length] || status === 204 || status === 304)
    const body = hasBody ? readBody(headers, rest) : { text: '', rest }
    if (typeof body === 'string') return { answers, fault: body }
    answers.push({ status, headers, body: body.text })
    rest = body.rest
  }
  return { answers, fault: undefined }
}

/** The values of a header, line by line. */
export function valuesOf(answer: Answer, name: string): readonly string[] {
  return answer.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

function readBody(
  headers: Answer['headers'],
  rest: string,
): { readonly text: string; readonly rest: string } | string {
  const of = (name: string) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  const lengths = of('content-length')
  const codings = of('transfer-encoding')
  // RFC 9112, section 6.3: the end of the connection ends a body without a length, as clients of HTTP/1.0 know it.
  if (lengths.length + codings.length === 0 && of('connection')[0]?.toLowerCase() === 'close')
    return { text: rest, rest: '' }
  if (lengths.length + codings.length !== 1) return `${lengths.length} lengths and ${codings.length} codings`
  if (lengths[0] !== undefined) {
    if (!/^\d+$/.test(lengths[0])) return `Content-Length: ${lengths[0]}`
    const bytes = Number(lengths[0])
    return rest.length < bytes
      ? `a body of ${rest.length} bytes instead of ${bytes}`
      : { text: rest.slice(0, bytes), rest: rest.slice(bytes) }
  }
  if (codings[0] !== 'chunked') return `Transfer-Encoding: ${codings[0]}`
  let text = ''
  let left = rest
  for (;;) {
    const match = /^([0-9a-fA-F]{1,8})\r\n/.exec(left)
    if (!match) return 'a broken chunk'
    const bytes = Number.parseInt(match[1]!, 16)
    const chunk = left.slice(match[0].length, match[0].length + bytes)
    left = left.slice(match[0].length + bytes)
    if (!left.startsWith('\r\n')) return 'a chunk without an end'
    left = left.slice(2)
    text += chunk
    if (bytes === 0) return { text, rest: left }
  }
}
