// A connection for rotating: of one role, for as long as it takes.

import pg from 'pg'
import type { FieldClient } from './rotate.ts'

/**
 * Connects, works and ends.
 *
 * @throws the driver's error where the database can't be reached
 */
export async function withFields<T>(url: string, work: (client: FieldClient) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client as FieldClient)
  } finally {
    await client.end().catch(() => {})
  }
}
