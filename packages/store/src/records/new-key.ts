// What is asked for when a key is made, and why it may not be had.

import type { KeyEnvironment, KeyKind } from 'sallyport/keys'

/** What a new key is to be. */
export interface NewKey {
  readonly organisation: string
  readonly name: string
  readonly kind: KeyKind
  readonly environment: KeyEnvironment
  /** Whose rights bound it, of the organisation; its own where nothing is said. */
  readonly owner?: string
  readonly store?: string
  /** The organisation's where nothing is said. */
  readonly plan?: string
  readonly scopes?: readonly string[]
  readonly origins?: readonly string[]
  readonly cidrs?: readonly string[]
  /** Who makes it. */
  readonly createdBy: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
  /** By which request it is made: a digest of 32 bytes. One that was there before makes nothing. */
  readonly request?: Uint8Array
}

/** Something that was asked for and can't be done; the message says why. */
export class KeyFault extends Error {
  readonly code: 'wrong' | 'unknown' | 'ended' | 'repeated'

  constructor(code: KeyFault['code'], message: string) {
    super(message)
    this.name = 'KeyFault'
    this.code = code
  }
}
