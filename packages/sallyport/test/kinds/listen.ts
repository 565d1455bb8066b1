// A server on a port of its own, and its end.

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A running app. */
export interface Running {
  readonly port: number
  close(): Promise<void>
}

/** Listens on a free port of this machine. */
export async function listening(server: Server): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
