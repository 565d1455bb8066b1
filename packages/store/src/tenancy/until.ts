// What a transaction gives out works until the transaction ends. A query that was not waited for, or one that is only
// built inside and sent when somebody waits for it, would otherwise run on a connection that is somebody else's by then:
// in that tenant's transaction.

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

/** Wraps a client, a transaction or a tagged-template function, and every query that is built with it. */
export function until<Handle extends object>(real: Handle): Until<Handle> {
  let ended = false
  const live = (): void => {
    if (ended)
      throw new TenancyFault(
        'late',
        'the tenant’s transaction has ended; wait for every query before the function returns',
      )
  }
  const guard = <T extends object>(guarded: T): T =>
    new Proxy(guarded, {
      get(target, name) {
        // Private fields of classes are found on the object itself only.
        const value: unknown = Reflect.get(target, name, target)
        // Whatever resolves a promise with this asks for `then`; only a query has one.
        if (name === 'constructor' || (name === 'then' && typeof value !== 'function')) return value
        live()
        if (target === (real as object) && (name === 'release' || name === 'end')) return undefined
        if (typeof value !== 'function') return value
        return (...words: unknown[]) => {
          live()
          return guardQuery(Reflect.apply(value, target, words))
        }
      },
      apply(target, _receiver, words: unknown[]) {
        live()
        return guardQuery(Reflect.apply(target as unknown as () => unknown, undefined, words))
      },
    })
  const guardQuery = (value: unknown): unknown => (isQuery(value) ? guard(value) : value)
  const handle = guard(real)
  given.add(handle)
  return {
    handle,
    end() {
      ended = true
    },
  }
}

// An object of a driver's own class: a builder, a cursor, a promise that sends when it is waited for. What has been sent,
// and plain data, is left alone.
function isQuery(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    prototype !== Promise.prototype &&
    prototype !== Object.prototype &&
    prototype !== null &&
    !(value instanceof Date)
  )
}
