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
  byId(id: string): Account | undefined
  byToken(token: string): Account | undefined
  /** The account that is signed in, by a Cookie header. */
  bySession(cookies: string): Account | undefined
  invoicesOf(account: Account): readonly Invoice[]
  /** Gives an account a new token; only its digest is kept. */
  issueToken(accountId: string): string
  /** Opens a session for an account and returns its cookie. */
  openSession(accountId: string): string
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
  const sessions = new Map<string, string>()
  return {
    all: () => [...accounts.values()],
    byId: (id) => accounts.get(id),
    // Looked up by digest: how long it takes tells nothing of a token.
    byToken: (token) => accounts.get(owners.get(digestOf(token)) ?? ''),
    bySession: (cookies) => accounts.get(sessions.get(digestOf(SESSION.exec(cookies)?.[1] ?? '')) ?? ''),
    invoicesOf: ({ id }) => invoices.filter((invoice) => invoice.accountId === id),
    issueToken(accountId) {
      const token = `ds_${randomBytes(24).toString('base64url')}`
      owners.set(digestOf(token), accountId)
      return token
    },
    openSession(accountId) {
      const session = randomBytes(24).toString('base64url')
      sessions.set(digestOf(session), accountId)
      return `__Host-driftstack=${session}`
    },
  }
}

const SESSION = /(?:^|; )__Host-driftstack=([\w-]{32})(?:;|$)/

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
