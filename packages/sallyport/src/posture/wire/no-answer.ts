// Why a server gave no answer, and what mends it: the same sentence in every command.

import type { WireFailure } from './send.ts'

/** One sentence: `127.0.0.1:1 gave no answer (connect: ECONNREFUSED); nothing listens there, so …`. */
export function noAnswer(name: string, { phase, code }: Pick<WireFailure, 'phase' | 'code'>): string {
  return `${name} gave no answer (${phase}: ${code}); ${mendOf(phase, code)}`
}

function mendOf(phase: WireFailure['phase'], code: string): string {
  if (phase === 'resolve') return 'the name is not known: write a URL such as https://api.example.com'
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there: start the server, or name its port, as in http://127.0.0.1:3000'
    case 'timeout':
      return 'see that a firewall lets you through, and that the server is not stuck'
    case 'not-http':
      return 'it does not speak HTTP there: name another port, or write https:// where it speaks TLS'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to it from here: check the address and the network'
    default:
      return phase === 'tls'
        ? 'TLS was refused: write http:// where it speaks none, and see that it speaks TLS 1.2 or 1.3'
        : 'see in the log of the server why it closed the connection'
  }
}
