// When an address of an upstream is left out: it has failed several times in a row, and others can do its work. After a
// time one request tries it; a failure leaves it out for longer, a success brings it back.

/** Milliseconds, and failures in a row. */
export interface EjectionLimits {
  readonly failures: number
  /** The first time; each further one is twice as long. */
  readonly firstMs: number
  readonly longestMs: number
}

/** How an address has done lately. */
export class AddressHealth {
  private readonly limits: EjectionLimits | undefined
  private inARow = 0
  private doublings = 0
  private backSince = Number.NEGATIVE_INFINITY
  private trial: object | undefined
  private until: number | undefined
  /** How often it has been left out. */
  ejections = 0

  /** @param limits without them an address is never left out */
  constructor(limits: EjectionLimits | undefined) {
    this.limits = limits
  }

  /** Until when it is left out; `undefined` while it takes part. In milliseconds of the clock that `bad` was given. */
  get ejectedUntil(): number | undefined {
    return this.until
  }

  /** True where one request may find out whether it is well again. */
  mayBeTried(now: number): boolean {
    return this.until !== undefined && this.trial === undefined && now >= this.until
  }

  /** @param by who tries it: the same object is given when it is judged */
  tryOut(by: object): void {
    this.trial = by
  }

  good(by: object, now: number): void {
    if (this.until === undefined) {
      this.inARow = 0
      return
    }
    // An answer to what was sent before it was left out proves nothing new.
    if (this.trial !== by) return
    this.trial = undefined
    this.until = undefined
    this.inARow = 0
    this.backSince = now
  }

  /** @param isSpare whether enough others take part: the last one is never left out */
  bad(by: object, now: number, isSpare: boolean): void {
    if (this.limits === undefined) return
    if (this.until !== undefined) {
      if (this.trial === by) this.eject(this.limits, now)
      return
    }
    this.inARow++
    if (this.inARow < this.limits.failures || !isSpare) return
    // Who has done well for as long as the longest absence begins anew.
    if (now - this.backSince > this.limits.longestMs) this.doublings = 0
    this.eject(this.limits, now)
  }

  /** A trial that ended without a verdict leaves the way free for the next. */
  left(by: object): void {
    if (this.trial === by) this.trial = undefined
  }

  private eject({ firstMs, longestMs }: EjectionLimits, now: number): void {
    this.trial = undefined
    this.inARow = 0
    this.until = now + Math.min(longestMs, firstMs * 2 ** this.doublings)
    if (firstMs * 2 ** this.doublings < longestMs) this.doublings++
    this.ejections++
  }
}
