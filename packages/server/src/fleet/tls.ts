// TLS of a fleet as its parent keeps it: files are tried once before every process reads them, the local certificate is
// renewed by one, and the secret of the tickets is the same for all.

import { resolve } from 'node:path'
import type { GatewayOptions } from '../contract.ts'
import { localCertificate } from '../tls/local.ts'
import { readMaterial } from '../tls/material.ts'
import { freshSecret } from '../tls/ticket-file.ts'
import { createTicketKeys, type DaySecret } from '../tls/ticket-keys.ts'

/** TLS of all processes. */
export interface SharedTls {
  /** What each process is started with. */
  readonly given: GatewayOptions['tls']
  /** The secret as it is now; the one of the day before can't be found from it. */
  ticketSecret(): DaySecret
  /** @throws TlsMaterialFault where the files can't be used */
  check(): Promise<void>
  /** Renews the local certificate where it is time; true where there is a new one. */
  tend(): Promise<boolean>
}

/** @param endsHere whether TLS ends at the fleet */
export async function shareTls(
  endsHere: boolean,
  { tls, stateFolder = '.sallyport' }: Pick<GatewayOptions, 'tls' | 'stateFolder'>,
  clock: () => number,
): Promise<SharedTls> {
  const folder = `${stateFolder}/tls`
  const hasOwn = tls !== undefined && ('cert' in tls || tls.certificates !== undefined)
  const isLocal = endsHere && !hasOwn
  const keys = createTicketKeys(freshSecret(clock()), clock, '')
  const make = async () => (isLocal ? (await localCertificate({ folder, clock })).cert : '')
  let made = await make()
  // Each process reads what lies there, and none of them makes another.
  const local = { cert: resolve(folder, 'cert.pem'), key: resolve(folder, 'key.pem') }
  const given = isLocal ? { ...tls, certificates: [local] } : tls
  return {
    given,
    ticketSecret: keys.kept,
    async check() {
      if (endsHere) await readMaterial(given, folder, clock)
    },
    async tend() {
      const before = made
      made = await make()
      return made !== before
    },
  }
}
