// Reads the head of an answer as it was sent: every line in order, nothing joined, nothing hidden. Total: what is no
// header line is kept and named.

/** A status line and the lines below it. */
export interface AnswerHead {
  /** `1.1` */
  readonly httpVersion: string
  readonly status: number
  readonly reason: string
  /** Every line in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Lines that are no header lines (RFC 9112, section 5), and what else breaks the grammar. */
  readonly faults: readonly string[]
}

const MAX_LINES = 2_000

/** Reads a head without its last empty line; `undefined` where it is no HTTP. */
export function parseHead(text: string): AnswerHead | undefined {
  const faults: string[] = []
  const lines = text.split('\n').map((line) => {
    if (line.endsWith('\r')) return line.slice(0, -1)
    return line
  })
  const match = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(lines[0] ?? '')
  if (!match) return undefined
  const headers: [string, string][] = []
  for (const line of lines.slice(1, MAX_LINES)) {
    if (line === '') continue
    const last = headers.at(-1)
    // RFC 9112, section 5.2: obsolete folding goes on with the line before.
    if (/^[ \t]/.test(line) && last) {
      faults.push('a folded line')
      last[1] = `${last[1]} ${line.trim()}`.trim()
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) {
      faults.push(`no header line: ${line.slice(0, 100)}`)
      continue
    }
    const name = line.slice(0, colon)
    if (name !== name.trim()) faults.push(`a space in the name ${JSON.stringify(name)}`)
    headers.push([name.trim(), trimBlanks(line.slice(colon + 1))])
  }
  return { httpVersion: match[1]!, status: Number(match[2]), reason: match[3] ?? '', headers, faults }
}

// Space and tab only (RFC 9110, section 5.6.3); without a pattern that tries every place.
function trimBlanks(value: string): string {
  let from = 0
  let to = value.length
  const isBlank = (at: number) => value.charCodeAt(at) === 32 || value.charCodeAt(at) === 9
  while (from < to && isBlank(from)) from++
  while (to > from && isBlank(to - 1)) to--
  return value.slice(from, to)
}

/** All lines of a name, joined by ", "; `undefined` where there is none. */
export function joinedLine(
  headers: readonly (readonly [name: string, value: string])[],
  name: string,
): string | undefined {
  const found = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return found.length === 0 ? undefined : found.join(', ')
}
