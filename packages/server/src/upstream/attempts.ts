// The attempts of one request: which address each goes to, on which connection, and how it did there.

import type { Pool } from 'undici'
import { type Failed, maySendAgain } from './again.ts'
import { isOfAddress } from './failure.ts'
import type { Line } from './pool.ts'
import type { Transfer } from './transfer.ts'
import type { TransferSite, Way } from './transfer-site.ts'

export class Attempts {
  private readonly site: TransferSite
  private readonly by: Transfer
  private way: Way | undefined
  private failed: Way | undefined
  private count = 0
  private isJudged = false
  private wasKept = false
  /** Since when this attempt is on a connection; `undefined` before. */
  startedAt: number | undefined

  constructor(site: TransferSite, by: Transfer) {
    this.site = site
    this.by = by
  }

  /** Chooses where the next attempt goes. */
  next(): Pool {
    this.count++
    this.way = this.site.choose(this.by, this.failed)
    return this.way.way
  }

  /** The request has its connection. */
  begun(line: Line | undefined): void {
    this.startedAt = this.site.now()
    if (line === undefined) return
    this.wasKept = line.requests > 0
    line.requests++
  }

  /** Says once how the address has done; what goes wrong after its head is only counted. */
  judge(reason?: string): void {
    const { way, site, by } = this
    if (way === undefined) return
    if (reason === undefined) {
      if (!this.isJudged) site.good(by, way)
    } else if (this.isJudged || (this.startedAt !== undefined && !isOfAddress(reason)))
      way.countFailure(reason)
    else site.bad(by, way, reason)
    this.isJudged = true
  }

  /** True where the attempt has failed and another may follow; it is over then. */
  mayRepeat(failed: Pick<Failed, 'method' | 'reason' | 'isWhole' | 'isAnswered'>): boolean {
    const { way, site } = this
    if (way === undefined || this.count > site.retries) return false
    const isSent = this.startedAt !== undefined
    const { wasKept } = this
    if (!maySendAgain({ ...failed, isSent, wasKept, hasOthers: site.hasOthers })) return false
    // A connection that was kept may be closed by the best of servers.
    if (isSent) way.countFailure(failed.reason)
    else this.judge(failed.reason)
    this.leave()
    this.failed = way
    this.isJudged = false
    this.startedAt = undefined
    return true
  }

  /** Nothing of it is left at the address. */
  leave(): void {
    if (this.way !== undefined) this.site.left(this.by, this.way)
    this.way = undefined
  }
}
