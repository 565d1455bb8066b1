// What happens to the store, as its operator reads it.

import type { StoreEvent } from '@sallyport/store'
import type { GatewayEvent } from '../contract.ts'

const SENTENCES: Readonly<Record<StoreEvent, string>> = {
  'query-ended': 'a query ran too long and was ended with its connection; the database is opened again',
  'worker-died': 'the embedded database has ended and is opened again',
  reopened: 'the embedded database is open again',
  failing:
    'the embedded database ends again and again, or can’t be opened; look at its disk and at the memory',
  'connection-lost': 'a connection to the database was lost while nobody used it',
  unreachable: 'the database can’t be reached; it is asked again until it can',
  reachable: 'the database can be reached again',
  damaged: 'the database holds what was not written there; look with sallyport doctor, and restore it',
}

/** Puts it into words. */
export function storeEvent(event: StoreEvent): GatewayEvent {
  return { event: `store-${event}`, requestId: '', route: '', reason: SENTENCES[event] }
}
