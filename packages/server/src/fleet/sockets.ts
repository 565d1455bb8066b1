// The sockets of a fleet. The parent holds one for each place and accepts nothing; whoever takes the place listens on it.
// So a connection that waits to be accepted outlives the process that would have accepted it: a process that closes a
// socket of its own resets what waits there, and a restart would cost requests.

import { lookup } from 'node:dns/promises'
import * as net from 'node:net'

/** One place to listen. */
interface Place {
  /** To be inherited by the process; `undefined` where each process has a socket of its own. */
  readonly fd: number | undefined
  close(): void
}

/** The places of a fleet. */
export interface Places {
  readonly places: readonly Place[]
  readonly host: string
  readonly port: number
  /** False where connections that wait are lost when a process goes. */
  readonly areHeld: boolean
}

/** Thrown where the system can't share a port. */
class PortNotShared extends Error {
  readonly code = 'ERR_PORT_NOT_SHARED'
  constructor() {
    super(
      'this system can’t share a port between processes (SO_REUSEPORT: Linux 3.9, FreeBSD 12); leave --workers out, and start one process',
    )
  }
}

/**
 * @throws PortNotShared, or the system's error where the address can't be had
 */
export async function openPlaces(host: string, port: number, count: number): Promise<Places> {
  const { address } = await lookup(host)
  // Since Node 26.4. Before, each process binds for itself.
  if (net.BoundSocket === undefined) return { places: own(count), host, port, areHeld: false }
  const places: Place[] = []
  let bound = port
  try {
    for (let i = 0; i < count; i++) {
      const socket = new net.BoundSocket({ host: address, port: bound, reusePort: true })
      bound = socket.address().port
      places.push({ fd: socket.fd(), close: () => socket.close() })
    }
  } catch (error) {
    for (const place of places) place.close()
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTSUP' || code === 'ENOSYS') throw new PortNotShared()
    throw error
  }
  return { places, host: address, port: bound, areHeld: true }
}

function own(count: number): readonly Place[] {
  return Array.from({ length: count }, () => ({ fd: undefined, close() {} }))
}
