// Counts guesses inside a Fetch handler, by the policy's own numbers.

import { replyFor } from '../../guard/answer.ts'
import type { Exchange } from '../../guard/exchange.ts'

/** Counts a guess; the answer that refuses it, or nothing. */
export async function refusalOfGuess(
  exchange: Exchange | undefined,
  name: unknown,
): Promise<Response | undefined> {
  if (exchange?.signIn === undefined)
    throw new Error(
      `withLockout: the policy has no sign-in at ${exchange?.cell.id ?? 'this handler, which has no guard'}; write routes: { "POST /v1/sign-in": { lockout: { name: { from: "json", field: "email" } } } }`,
    )
  const denial =
    typeof name === 'string'
      ? await exchange.signIn.attempt(name)
      : ({ kind: 'deny', code: 'malformed_request' } as const)
  if (denial === undefined) return undefined
  const { status, headers, body } = replyFor(denial, exchange)
  return new Response(body, {
    status,
    headers: headers.map(([key, value]): [string, string] => [key, value]),
  })
}
