// What two processes of one machine say to each other about a store: a line of JSON each way. Statements go by name, so
// nothing can be asked that the store does not offer.

/** A question. */
export type Question =
  | {
      readonly id: number
      readonly kind: 'query'
      readonly statement: string
      readonly parameters: readonly unknown[]
      /** Asked as this tenant, in a transaction of its own. */
      readonly tenant?: string
      /** Asked within the transaction that was begun with this id. */
      readonly within?: number
    }
  | { readonly id: number; readonly kind: 'begin'; readonly tenant?: string; readonly serializable?: boolean }
  | { readonly id: number; readonly kind: 'end'; readonly within: number; readonly commit: boolean }
  /** Asks for a copy of the whole store, whose folder is then the neighbour's to use and to remove. */
  | { readonly id: number; readonly kind: 'copy' }

/** The answer. */
export type Answer =
  | { readonly id: number; readonly rows: readonly unknown[] }
  | { readonly id: number; readonly fault: { readonly code: string; readonly message: string } }

/** So long a line may be; bytes. */
const MAX_LINE = 16 * 1_048_576

interface Marked {
  readonly $bytes?: string
  readonly $date?: number
}

/** A line without its end. Bytes and dates are marked, since JSON has neither. */
export function write(value: Question | Answer): string {
  // A Date has a toJSON of its own, which would run before the replacer sees it.
  return JSON.stringify(value, function replace(this: Record<string, unknown>, key, given) {
    const own = this[key]
    if (own instanceof Date) return { $date: own.getTime() }
    if (own instanceof Uint8Array) return { $bytes: Buffer.from(own).toString('base64') }
    return given as unknown
  })
}

/** @throws SyntaxError where it is no JSON */
export function read(line: string): unknown {
  return JSON.parse(line, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value
    const { $bytes, $date } = value as Marked
    if (typeof $bytes === 'string') return Buffer.from($bytes, 'base64')
    if (typeof $date === 'number') return new Date($date)
    return value
  })
}

/** Cuts what arrives into lines; a line that is too long ends the connection. */
export function lineReader(onLine: (line: string) => void, onFault: () => void): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let length = 0
  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at))
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      length = 0
      from = at + 1
      onLine(line)
    }
    const rest = chunk.subarray(from)
    length += rest.length
    if (length > MAX_LINE) onFault()
    else if (rest.length > 0) parts.push(rest)
  }
}
