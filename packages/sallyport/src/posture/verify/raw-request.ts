// Reads the raw bytes of a probe as a strict server would: a request, or nothing. Only what the grammar of RFC 9112
// allows line by line is read; whether it may be served is for the policy to say.

/** A request in parts. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly httpVersion: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([^ \t\r\n]{1,100000}) HTTP\/(\d\.\d)$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/

/** Reads the head; `undefined` where it breaks the grammar. */
export function readRaw(raw: string, authority: string): RawRequest | undefined {
  const bytes = raw.replaceAll('{host}', authority)
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const match = REQUEST_LINE.exec(first)
  if (!match) return undefined
  const headers: [string, string][] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    // RFC 9112, section 2.2: a line feed alone ends no line for us, and may not stand in one.
    if (!TOKEN.test(name) || /[\0\r\n]/.test(line)) return undefined
    headers.push([name, line.slice(colon + 1).trim()])
  }
  return { method: match[1]!, path: match[2]!, httpVersion: match[3]!, headers }
}
