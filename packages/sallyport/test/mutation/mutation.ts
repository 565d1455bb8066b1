// A mutation is one thing that breaks between a server that keeps its policy and its caller: what is broken, on which
// answers, and which control must be named by whoever looks.

/** A header line, the name as sent. */
export type Line = readonly [name: string, value: string]

/** One request and its answer, as the mutator sees them: the bytes of the request, the head of the answer. */
export interface Passing {
  /** One character a byte. */
  readonly request: string
  readonly method: string
  readonly path: string
  /** The kind of the answer, in the words of `kinds.ts`. */
  readonly kind: string
  readonly status: number
  readonly lines: readonly Line[]
  /** The value of a header of the request, the first of several. */
  asked(name: string): string | undefined
}

/** The answer that goes on in place of the true one. */
export interface Broken {
  readonly status?: number
  readonly lines?: readonly Line[]
  /** Absent: the true body. */
  readonly body?: string
}

/** How the listener itself is broken. */
export type BrokenListener =
  | 'tls-1.2-too'
  | 'tls-1.2-only'
  | 'tls-1.1-too'
  | 'certificate-expired'
  | 'certificate-ending'
  | 'certificate-of-another-host'
  | 'certificate-of-another-authority'

/** One thing that is broken. */
export interface Mutation {
  /** Stable and unique: `headers/removed/referrer-policy/404`. */
  readonly id: string
  /** The server that it is done to, by its name in `subjects.ts`. */
  readonly subject: 'app' | 'gateway' | 'rich'
  /** The names of the controls, one of which a finding must name. */
  readonly controls: readonly string[]
  /** The word of the finding catalogue that it comes from. */
  readonly from: string
  /** Changes an answer; `undefined` leaves it as it is. */
  readonly answer?: (passing: Passing) => Broken | undefined
  /** True for the requests whose refusal is lost: what was refused is then answered as a good request. */
  readonly accepts?: (request: string) => boolean
  readonly listener?: BrokenListener
  /** Requests of these paths meet a server whose policy has lost this route. */
  readonly loses?: { readonly route: string; readonly at: RegExp }
}

const is = (name: string) => {
  const small = name.toLowerCase()
  return ([key]: Line) => key.toLowerCase() === small
}

/** The line is gone. */
export function without(lines: readonly Line[], name: string): readonly Line[] {
  return lines.filter((line) => !is(name)(line))
}

/** The line has another value; it is added where it was missing. */
export function instead(lines: readonly Line[], name: string, value: string): readonly Line[] {
  return [...without(lines, name), [name, value]]
}

/** Another line of the same name follows. */
export function beside(lines: readonly Line[], name: string, value: string): readonly Line[] {
  return [...lines, [name, value]]
}

/** Another line of the same name stands first. */
export function before(lines: readonly Line[], name: string, value: string): readonly Line[] {
  return [[name, value], ...lines]
}

/** The values of a name, in order. */
export function valuesIn(lines: readonly Line[], name: string): readonly string[] {
  return lines.filter(is(name)).map(([, value]) => value)
}
