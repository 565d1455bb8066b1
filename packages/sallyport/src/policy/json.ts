// A strict JSON reader (RFC 8259) that says where a text is wrong, by line and column, and refuses what JSON.parse
// lets pass: one name twice in an object, of which only the last would count.

/** Where a text is wrong; lines and columns count from 1, columns in UTF-16 code units. */
interface JsonFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** The value, or the first fault. */
export type JsonResult = { readonly value: unknown } | { readonly fault: JsonFault }

class Fault extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

// Deeper than any policy, and shallow enough for every stack.
const MAX_DEPTH = 256

/** Reads a JSON text; never throws. */
export function readJson(text: string): JsonResult {
  const reader = new Reader(text)
  try {
    return { value: reader.document() }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const before = text.slice(0, error.at)
    const lineStart = before.lastIndexOf('\n') + 1
    return {
      fault: {
        line: before.split('\n').length,
        column: error.at - lineStart + 1,
        message: error.message,
      },
    }
  }
}

const SPACE = /[\t\n\r ]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /[A-Za-z]+/y
// One run of plain characters or one escape at a time, so that a fault is found where it stands.
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y

class Reader {
  private readonly text: string
  private at: number
  constructor(text: string) {
    this.text = text
    // A byte order mark is no JSON, but editors write it.
    this.at = text.startsWith('\ufeff') ? 1 : 0
  }

  document(): unknown {
    const value = this.value(0)
    this.take(SPACE)
    if (this.at < this.text.length) throw new Fault(this.at, `${this.found()} after the end of the document`)
    return value
  }

  private value(depth: number): unknown {
    this.take(SPACE)
    if (depth > MAX_DEPTH) throw new Fault(this.at, `nested more than ${MAX_DEPTH} deep`)
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth)
      case '[':
        return this.array(depth)
      case '"':
        return this.string()
      default:
        return this.scalar()
    }
  }

  private object(depth: number): unknown {
    this.at += 1
    const members: [string, unknown][] = []
    const names = new Set<string>()
    while (!this.closes('}', members.length === 0)) {
      this.take(SPACE)
      const start = this.at
      if (this.text[start] !== '"')
        throw new Fault(start, `expected a name in double quotes, found ${this.found()}`)
      const name = this.string()
      if (names.has(name))
        throw new Fault(start, `the name ${JSON.stringify(name.slice(0, 60))} stands twice`)
      names.add(name)
      this.take(SPACE)
      if (this.text[this.at] !== ':') throw new Fault(this.at, `expected ":", found ${this.found()}`)
      this.at += 1
      members.push([name, this.value(depth + 1)])
    }
    return Object.fromEntries(members)
  }

  private array(depth: number): unknown {
    this.at += 1
    const items: unknown[] = []
    while (!this.closes(']', items.length === 0)) items.push(this.value(depth + 1))
    return items
  }

  // Takes the bracket that closes, or the comma before another member.
  private closes(bracket: '}' | ']', first: boolean): boolean {
    this.take(SPACE)
    if (this.text[this.at] === bracket) {
      this.at += 1
      return true
    }
    if (first) return false
    if (this.text[this.at] !== ',')
      throw new Fault(this.at, `expected "," or "${bracket}", found ${this.found()}`)
    const comma = this.at
    this.at += 1
    this.take(SPACE)
    if (this.text[this.at] === bracket) throw new Fault(comma, `a comma before "${bracket}"`)
    return false
  }

  private string(): string {
    const start = this.at
    this.at += 1
    for (;;) {
      this.take(PLAIN)
      const next = this.text[this.at]
      if (next === '"') break
      if (next === undefined) throw new Fault(start, 'a text that does not end')
      if (next !== '\\') throw new Fault(this.at, 'a line break or control character in a text')
      if (this.take(ESCAPE) === '') throw new Fault(this.at, 'an escape that JSON does not know')
    }
    this.at += 1
    return JSON.parse(this.text.slice(start, this.at)) as string
  }

  private scalar(): unknown {
    const start = this.at
    const word = this.take(WORD)
    if (word === 'true') return true
    if (word === 'false') return false
    if (word === 'null') return null
    if (word !== '') throw new Fault(start, `expected a value, found ${word.slice(0, 40)}`)
    const number = this.take(NUMBER)
    if (number === '' || number === '-') throw new Fault(start, `expected a value, found ${this.found()}`)
    return JSON.parse(number)
  }

  private take(token: RegExp): string {
    token.lastIndex = this.at
    const taken = token.exec(this.text)?.[0] ?? ''
    this.at += taken.length
    return taken
  }

  private found(): string {
    const next = this.text.codePointAt(this.at)
    if (next === undefined) return 'the end'
    return this.text.startsWith('//', this.at) || this.text.startsWith('/*', this.at)
      ? 'a comment, which JSON does not have'
      : JSON.stringify(String.fromCodePoint(next))
  }
}
