// The data of the example, in memory: accounts, their invoices, and the tokens that open them.

import { createHash, randomBytes } from 'node:crypto'

export type Role = 'member' | 'admin'

export interface Account {
  readonly id: string
  name: string
  readonly plan: 'free' | 'pro'
  readonly role: Role
}

export interface Invoice {
  readonly id: string
  readonly accountId: string
  readonly amountCents: number
  readonly paid: boolean
}

/** The accounts of one running API. */
export interface Accounts {
  all(): readonly Account[]
  byToken(token: string): Account | undefined
  invoicesOf(account: Account): readonly Invoice[]
  /** Gives an account a new token; only its digest is kept. */
  issueToken(accountId: string): string
}

/** Two accounts, one of each role. */
export function sampleAccounts(): Accounts {
  const accounts = new Map<string, Account>(
    [
      { id: 'acct_1', name: 'Harbour Pilots', plan: 'pro', role: 'member' } as const,
      { id: 'acct_2', name: 'Driftstack Operations', plan: 'free', role: 'admin' } as const,
    ].map((account) => [account.id, { ...account }]),
  )
  const invoices: readonly Invoice[] = [
    { id: 'inv_1', accountId: 'acct_1', amountCents: 4900, paid: true },
    { id: 'inv_2', accountId: 'acct_1', amountCents: 4900, paid: false },
  ]
  const owners = new Map<string, string>()
  return {
    all: () => [...accounts.values()],
    // Looked up by digest: how long it takes tells nothing of a token.
    byToken: (token) => accounts.get(owners.get(digestOf(token)) ?? ''),
    invoicesOf: ({ id }) => invoices.filter((invoice) => invoice.accountId === id),
    issueToken(accountId) {
      const token = `ds_${randomBytes(24).toString('base64url')}`
      owners.set(digestOf(token), accountId)
      return token
    },
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
