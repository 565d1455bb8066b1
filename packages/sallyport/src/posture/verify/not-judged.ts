// What a report must say beside its findings: what was not judged, and who answered in the server's place.

import { samplePath } from '../../controls/faces.ts'
import type { Credential } from './credential.ts'
import type { Account } from './judge.ts'
import { LIMITS, type Oracle, SUSPECTS } from './oracle.ts'
import { CouldNotVerify } from './result.ts'

/** What known callers are answered is judged only where one was let in: a refusal says nothing of it. */
export function skipClosed(account: Account, oracle: Oracle, credentials: readonly Credential[]): void {
  for (const { id, method = 'GET', path, origin } of oracle.policy.cells) {
    if (origin === 'strict' || method !== 'GET' || account.opened.has(id)) continue
    if (!oracle.asksWhoCalls({ method, path: samplePath(path), headers: [] })) continue
    account.skip({
      probe: `what known callers of ${id} are answered`,
      because:
        credentials.length === 0
          ? 'nobody is let in without a credential; name one with --credential user=authorization:@USER_TOKEN'
          : 'no credential that was given is let in there; name one that is with --credential',
    })
  }
}

/** A refusal of either says nothing of what the request was sent for. */
export function refusalNotes({ refused }: Account): readonly string[] {
  const limited = refused.get(LIMITS) ?? 0
  const suspected = refused.get(SUSPECTS) ?? 0
  return [
    ...(limited > 0
      ? [
          `${limited} answers were refusals of a limit, so what they were asked for was not judged; ask more slowly with --rate, or from an address with a larger bucket`,
        ]
      : []),
    ...(suspected > 0
      ? [
          `${suspected} answers refused this caller for its risk (audit.risk), so what they were asked for was not judged; made-up keys and paths count against an address: wait until it has faded`,
        ]
      : []),
  ]
}

/** @throws CouldNotVerify where most answers were not the server's */
export function refuseBlockPages({ answers, blocked }: Account): void {
  const count = [...blocked.values()].reduce((sum, each) => sum + each, 0)
  if (answers > 0 && count * 2 > answers)
    throw new CouldNotVerify(
      `${count} of ${answers} answers were a block page of ${[...blocked.keys()].join(', ')}; let this client through, or verify behind it with --replica`,
    )
}

/** How many answers were not the server's. */
export function blockNotes({ blocked }: Account): readonly string[] {
  return Array.from(
    blocked,
    ([vendor, count]) => `${count} answers were a block page of ${vendor}, and were not judged`,
  )
}
