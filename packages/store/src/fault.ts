// What can go wrong with a store, as values: a caller decides by the code, an operator reads the sentence.

/**
 * The kinds of failure.
 *
 * - `refused`: the store must not be opened as it is; a person has to act
 * - `held`: another process holds the folder
 * - `busy`: no connection was free in time; try again later
 * - `unavailable`: the database can't be reached, or has just ended
 * - `slow`: a query ran beyond its time and was ended
 * - `full`: the disk is full; reads still work
 * - `damaged`: what is on the disk is not what was written; a person has to restore it
 */
export type StoreFaultCode = (typeof CODES)[number]

const CODES = ['refused', 'held', 'busy', 'unavailable', 'slow', 'full', 'damaged'] as const

/** Whether a text is the code of a fault. */
export const isFaultCode = (code: string): code is StoreFaultCode =>
  (CODES as readonly string[]).includes(code)

/** A failure of the store. The message holds no row and no secret. */
export class StoreFault extends Error {
  readonly code: StoreFaultCode

  constructor(code: StoreFaultCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreFault'
    this.code = code
  }
}

// SQLSTATE classes after which the connection is of no use (PostgreSQL 15, appendix A): 08 connection, 57P0x shutdown,
// 25006 a primary that has become a replica.
const LOST = /^(?:08...|57P0[1-5]|25006)$/
const SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

// A page whose checksum is wrong, a broken index, a disk that can't be read, a file that is gone.
const DAMAGED = new Set(['XX001', 'XX002', '58030', '58P01'])

/** What the driver throws: an error of the database, of the system, or of its own. */
interface Thrown {
  readonly code?: string
  readonly message?: string
  readonly severity?: string
}

/** Whether the connection on which this happened must be thrown away. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof StoreFault) return error.code === 'unavailable' || error.code === 'slow'
  const { code, message, severity } = error as Thrown
  // The database ends with it, whatever it was.
  if (severity === 'PANIC') return true
  if (code !== undefined) return LOST.test(code) || SYSTEM.has(code)
  return /^(?:Connection terminated|Query read timeout|Client has encountered)/.test(message ?? '')
}

/**
 * What a driver threw, as a fault where it is one of ours to name; a database's own error is returned as it is.
 *
 * @param readOnly what it means that nothing can be written: a server has become a replica, or the embedded database keeps
 *   the last of a disk for its log
 */
export function faultOf(error: unknown, readOnly: 'full' | 'replica' = 'replica'): unknown {
  if (error instanceof StoreFault) return error
  const { code, message = '', severity } = error as Thrown
  if (code === '53100' || (code === '25006' && readOnly === 'full'))
    return new StoreFault('full', 'the disk of the store is full: nothing can be written; free space', {
      cause: error,
    })
  if (
    code === '53300' ||
    (code === undefined && message.startsWith('timeout exceeded when trying to connect'))
  )
    return new StoreFault('busy', 'no connection to the store was free in time; try again', { cause: error })
  if (code === '55P03')
    return new StoreFault('busy', 'others hold what the store was asked to change; try again', {
      cause: error,
    })
  // A pooler lets no times be set for a connection, or one session's statement met another session.
  if (code === '42P05' || code === '26000' || message.startsWith('unsupported startup parameter'))
    return new StoreFault(
      'refused',
      'the store is behind a pooler like PgBouncer in transaction mode; open it with preparedStatements: false',
      { cause: error },
    )
  if (code === '57014' || (code === undefined && message.startsWith('Query read timeout')))
    return new StoreFault('slow', 'a query of the store took too long and was ended', { cause: error })
  if (code !== undefined && severity !== 'PANIC' && DAMAGED.has(code))
    return new StoreFault('damaged', 'the store is damaged; see: sallyport doctor', { cause: error })
  if (isConnectionLost(error))
    return new StoreFault('unavailable', 'the store can’t be reached', { cause: error })
  return error
}
