// The payments of this process, and what counts as a payment.

export interface Payment {
  readonly id: string
  readonly amount: number
  readonly currency: string
  readonly reference: string
  readonly status: 'accepted'
}

/** What is wrong with a request body, by field. */
export type Faults = Readonly<Record<string, string>>

const CURRENCIES = ['GBP', 'EUR', 'USD']
const MAX_PAYMENTS = 1000

// Route handlers of a build may be loaded more than once in a process.
const shared = globalThis as { calmonyPayments?: Map<string, Payment> }
shared.calmonyPayments ??= new Map()
const payments = shared.calmonyPayments

/** Reads a payment from a parsed JSON body. */
export function parsePayment(body: unknown): Omit<Payment, 'id' | 'status'> | { faults: Faults } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { faults: { '': 'expected a JSON object' } }
  const { amount, currency, reference } = body as Record<string, unknown>
  const faults: Record<string, string> = {}
  if (!Number.isSafeInteger(amount) || (amount as number) < 1)
    faults.amount = 'expected a whole number of the smallest unit, at least 1'
  if (!CURRENCIES.includes(currency as string)) faults.currency = `expected one of ${CURRENCIES.join(', ')}`
  if (typeof reference !== 'string' || !/^[\w -]{1,35}$/.test(reference))
    faults.reference = 'expected 1 to 35 letters, digits, spaces, "-" or "_"'
  if (Object.keys(faults).length > 0) return { faults }
  return { amount: amount as number, currency: currency as string, reference: reference as string }
}

/** Keeps a payment; the oldest makes room. */
export function addPayment(payment: Omit<Payment, 'id' | 'status'>): Payment {
  const added: Payment = { id: `pay_${crypto.randomUUID()}`, ...payment, status: 'accepted' }
  if (payments.size >= MAX_PAYMENTS) payments.delete(payments.keys().next().value as string)
  payments.set(added.id, added)
  return added
}

/** Finds a payment. */
export function findPayment(id: string): Payment | undefined {
  return payments.get(id)
}

/** Forgets a payment, whether it was there or not. */
export function cancelPayment(id: string): void {
  payments.delete(id)
}
