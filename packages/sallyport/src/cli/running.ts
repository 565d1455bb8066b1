// A gateway on its way through life: it listens or says in one line why not, and a signal drains it.

import type { Terminal } from './command.ts'
import { Failure } from './failure.ts'
import type { CloseOptions, Gateway, GatewayOptions, ServerPackage } from './server.ts'

/**
 * Starts the gateway.
 *
 * @throws Failure where the address can't be had
 */
export async function listen(server: ServerPackage, options: GatewayOptions): Promise<Gateway> {
  try {
    return await server.startGateway(options)
  } catch (error) {
    throw listenFailure(error, options.listen) ?? error
  }
}

/** The failure to listen in one line, or `undefined` where the error is another one. */
export function listenFailure(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
  option = 'port',
): Failure | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new Failure(
        `port ${port} of ${host} is taken by another program; stop it, or choose another port with --${option}`,
      )
    case 'EACCES':
      return new Failure(`no permission to listen on port ${port}; choose one above 1023 with --${option}`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Failure(`this machine has no address ${host}; choose another with --host`)
    default:
      return undefined
  }
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

/** The wish to stop, from wherever it comes. */
export interface Stop {
  readonly wished: Promise<void>
  /** Wishes it; a signal after that ends the process at once. */
  wish(): void
}

/** Listens for the signals that stop a process. A second one ends it at once, with the code that shells give to it. */
export function stopSignal(): Stop {
  const { promise, resolve } = Promise.withResolvers<void>()
  let stopping = false
  const wish = () => {
    stopping = true
    resolve()
  }
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[])
    process.on(signal, () => {
      if (stopping) process.exit(128 + SIGNALS[signal])
      wish()
    })
  return { wished: promise, wish }
}

/** Waits for the wish, then drains: no new connections, the open ones may end. */
export async function untilStopped(
  { wished }: Stop,
  terminal: Terminal,
  how: CloseOptions & { readonly graceMs: number },
  close: Gateway['close'],
): Promise<number> {
  await wished
  const { graceMs, waitMs = 0 } = how
  const wait = waitMs > 0 ? `requests are taken for ${waitMs / 1000} s more, and then ` : ''
  terminal.err(
    `Draining: ${wait}open requests have ${graceMs / 1000} s to end; press Ctrl-C again to stop at once.`,
  )
  const { brokenOff } = await close(how)
  terminal.err(brokenOff === 0 ? 'Stopped.' : `Stopped; ${brokenOff} still open had to be broken off.`)
  return 0
}
