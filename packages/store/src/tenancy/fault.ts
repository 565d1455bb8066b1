// What can go wrong around a tenant's transaction, as values.

/**
 * The kinds of failure.
 *
 * - `driver`: what was given is no database that can be recognised, or is a transaction already
 * - `exempt`: the role that queries is not bound by row-level security
 * - `tenant`: the name of an organisation or a store that no database can hold
 * - `late`: a query after its transaction has ended, which could run in another tenant's
 * - `rolled-back`: the transaction failed inside, so nothing of it was kept
 */
type TenancyFaultCode = 'driver' | 'exempt' | 'tenant' | 'late' | 'rolled-back'

/** A failure of `withTenant` itself; what a query throws is thrown on as it is. */
export class TenancyFault extends Error {
  readonly code: TenancyFaultCode

  constructor(code: TenancyFaultCode, message: string) {
    super(message)
    this.name = 'TenancyFault'
    this.code = code
  }
}
