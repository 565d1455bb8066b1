// Where TLS ends is the policy's to say; whoever starts a gateway brings the certificates.

import type { Guard } from 'sallyport/node'
import type { GatewayOptions } from '../contract.ts'
import { minVersionOf, transportOf } from '../reload/fixed.ts'
import { createTlsFront, type TlsFront, type TlsFrontOptions } from './front.ts'

/**
 * TLS at the listener of a gateway; `undefined` where it ends in front.
 *
 * @throws TypeError where it ends in front and a certificate was given; TlsMaterialFault
 */
export async function tlsFor(
  guard: Guard,
  { tls: given, stateFolder = '.sallyport', ticketSecret }: GatewayOptions,
  rest: Pick<TlsFrontOptions, 'clock' | 'onRefused' | 'onFault'>,
): Promise<TlsFront | undefined> {
  if (transportOf(guard.policy).tls === 'here')
    return createTlsFront({
      given,
      folder: `${stateFolder}/tls`,
      minVersion: minVersionOf(guard.policy),
      ticketSecret,
      ...rest,
    })
  if (given !== undefined)
    throw new TypeError(
      'tls: a certificate was given, but the policy says that TLS ends in front; write transport: { tls: "here" } in the policy, or leave the certificate out',
    )
  return undefined
}
