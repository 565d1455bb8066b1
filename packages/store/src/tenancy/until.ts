// What a transaction gives out works until the transaction ends. A query that was not waited for would otherwise run
// on a connection that is somebody else's by then: in that tenant's transaction.

import { TenancyFault } from './fault.ts'

/** A handle that can be shut. */
interface Until<Handle> {
  readonly handle: Handle
  end(): void
}

// A tenant's transaction is no database: one inside it would leave its tenant to what comes after.
const given = new WeakSet<object>()

/** Whether this is what a transaction gave out. */
export function isGiven(handle: object): boolean {
  return given.has(handle)
}

/** Wraps a client, a transaction or a tagged-template function. */
export function until<Handle extends object>(real: Handle): Until<Handle> {
  let ended = false
  const live = (): void => {
    if (ended)
      throw new TenancyFault(
        'late',
        'the tenant’s transaction has ended; wait for every query before the function returns',
      )
  }
  const handle = new Proxy(real, {
    get(target, name) {
      // A promise that is resolved with the handle looks for this; it is no query.
      if (name === 'then') return undefined
      live()
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'release' || name === 'end') return undefined
      return typeof value === 'function' ? guarded(target, value) : value
    },
    apply(target, _receiver, words: unknown[]) {
      live()
      return Reflect.apply(target as unknown as () => unknown, undefined, words)
    },
  })
  given.add(handle)
  // Private fields of classes are found on the object itself only.
  const guarded =
    (target: object, method: unknown) =>
    (...words: unknown[]) => {
      live()
      return Reflect.apply(method as () => unknown, target, words)
    }
  return {
    handle,
    end() {
      ended = true
    },
  }
}
