// Starts to listen: at an address, or on a socket that was handed over.

import type { AddressInfo, Server } from 'node:net'
import type { ListenOptions } from './contract.ts'

/** @throws the system's error where the address can't be had */
export function listenOn(
  server: Server,
  { host, port, fd, reusePort = false }: ListenOptions,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(fd === undefined ? { host, port, reusePort } : { fd }, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
