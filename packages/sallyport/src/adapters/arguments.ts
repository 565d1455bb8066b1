// The checks of what callers hand to an adapter, first thing: JavaScript callers have no types, and a mistake shows here
// as one sentence instead of somewhere inside.

/** What a value is, in a word: no content of it, which may be secret. */
function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
}

/** A sentence of what is wrong: where, what was expected, what came, how to mend it. */
function wrong(where: string, expected: string, received: unknown, mend: string): TypeError {
  return new TypeError(`${where}: expected ${expected}, received ${kindOf(received)}; ${mend}`)
}

/** @throws TypeError where this is not a policy (or a compiled guard) by its kind */
export function expectPolicy(where: string, policy: unknown, mend: string): void {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
    throw wrong(where, 'a policy', policy, mend)
}

/** @throws TypeError where this is not a function */
export function expectFunction(where: string, what: string, value: unknown, mend: string): void {
  if (typeof value !== 'function') throw wrong(where, what, value, mend)
}

/** @throws TypeError where this is neither an object nor, if allowed, a function */
export function expectObject(where: string, what: string, value: unknown, mend: string): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || Array.isArray(value))
    throw wrong(where, what, value, mend)
}

/** @throws TypeError where options are given that are no object */
export function expectOptions(where: string, options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw wrong(where, 'options', options, 'leave them out, or write an object')
}
