// How `lockout` stands on the posture page: that guessing is limited is for everybody, the numbers are for reviewers.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { budgetSentence } from '../../lockout/numbers.ts'
import { sameForAll } from '../faces.ts'
import { type FullLockout, fullLockout, type LockoutSetting, tellsRecovery } from './setting.ts'
import { durationWords } from './words.ts'

type Cells = readonly Resolved<LockoutSetting>[]

export function describeLockout(cells: Cells, place: Place): Section {
  const isSet = cells.some(({ setting }) => fullLockout(setting) !== undefined)
  const forAll = (
    name: string,
    value: (full: FullLockout) => string | undefined,
    why: string,
    audience: 'public' | 'reviewer' = 'reviewer',
  ): readonly Entry[] =>
    sameForAll(
      cells,
      name,
      ({ ...setting }) => {
        const full = fullLockout(setting)
        return full && value(full)
      },
      why,
    ).map((entry) => ({ ...entry, audience }))
  return {
    control: 'lockout',
    id: 'SP-LOCKOUT-01',
    title: 'Guessing protection',
    entries: [...(isSet ? entries(forAll) : []), ...recoveryEntries(cells)],
    limits: isSet ? limits(cells, place) : UNSET,
  }
}

const UNSET = [
  'No route is declared a sign-in, so how often a password or a code is guessed is not limited here: it must be by the application itself.',
]

type ForAll = (
  name: string,
  value: (full: FullLockout) => string | undefined,
  why: string,
  audience?: 'public' | 'reviewer',
) => readonly Entry[]

function entries(forAll: ForAll): readonly Entry[] {
  return [
    ...forAll(
      'Guessing',
      () => 'limited per account and per address, with waits that grow, and a lock after too many failures',
      'A guess is counted before it is verified, so that many at once are no more than one after another. While an account waits, right and wrong guesses are refused alike, whether or not there is such an account.',
      'public',
    ),
    ...forAll(
      'Budget',
      ({ numbers }) => budgetSentence(numbers),
      'So many guesses of strangers at one account are verified without a success, however many addresses they come from.',
    ),
    ...forAll(
      'Waits',
      ({ numbers: n }) =>
        `none for ${n.freeFailures} failures, then ${durationWords(n.firstWaitSeconds)}, doubling up to ${durationWords(n.longestWaitSeconds)}; up to 15 % longer at random`,
      `NIST SP 800-63B-4, section 3.2.2, names waits of 30 seconds up to an hour.`,
    ),
    ...forAll(
      'Lock',
      ({ numbers: n }) =>
        `the audit log tells of a lock at failure ${n.lockedAt}; at ${n.disabledAt} without a success only recovery helps`,
      'NIST SP 800-63B-4, section 3.2.2: at most 100 failures in a row, then the authenticator is disabled.',
    ),
    ...forAll(
      'Addresses',
      ({ numbers: n }) =>
        `${n.addressFailures} guesses of one address, or one IPv6 /64, in any ${durationWords(n.addressWindowSeconds)}`,
      'It stops one sender from guessing one password at many accounts. A success gives none back: else whoever has an account could go on for ever.',
    ),
    ...forAll(
      'Networks',
      ({ numbers: n }) =>
        `${n.networkFailures} guesses of one IPv6 /48 in any ${durationWords(n.addressWindowSeconds)}`,
      'A sender with a /48 has 65,536 networks of the size of a household. IPv4 networks of whatever size are of many parties, so their addresses alone are counted.',
    ),
    ...forAll(
      'Surge',
      ({ surge }) =>
        surge &&
        `from ${surge.failures} failures of strangers in ${durationWords(surge.seconds)} on, at all accounts together, a stranger is challenged before a guess is counted: a puzzle of about ${(2 ** surge.difficulty).toLocaleString('en')} hashes, good for one guess within ${durationWords(surge.lifeSeconds)}, or what the application's own provider asks; until there has been no more than half of them for ${durationWords(surge.calmSeconds)}`,
      'It makes guesses dear that are spread over very many accounts and addresses, each within its budget. Whoever has signed in with this browser is never challenged; everybody else is, whether or not there is such an account. Solved challenges buy no more guesses than the budget.',
    ),
    ...forAll(
      'Known devices',
      ({ deviceCookie }) =>
        deviceCookie
          ? 'a browser that has signed in has a count of its own for 180 days'
          : 'no device is known: strangers can make an owner wait',
      'ASVS 6.1.1: a lock must not be a weapon. Strangers’ failures don’t block a browser that its owner has used.',
    ),
    ...forAll(
      'Where',
      ({ name, authenticator, success }) =>
        `the ${authenticator} of the name in ${name.field} (${name.from}); right where the answer is ${success.join(', ')}`,
      'A body in which two programs could read two names is refused.',
    ),
  ]
}

function recoveryEntries(cells: Cells): readonly Entry[] {
  return sameForAll(
    cells,
    'Recovery',
    (setting) =>
      tellsRecovery(setting)
        ? 'the application tells whose secret was set anew: counts are forgotten, device cookies void'
        : undefined,
    'Who has proved in another way to own an account is not kept waiting, and a browser of whoever knew the old password is a stranger’s.',
  ).map((entry) => ({ ...entry, audience: 'reviewer' as const }))
}

function limits(cells: Cells, place: Place): readonly string[] {
  const full = cells.flatMap(({ setting }) => fullLockout(setting) ?? [])
  const found = [
    'Guesses at other places that take the same secret, such as a token endpoint, a change of password or Basic credentials, count only where they are declared as well.',
    ...surgeLimits(full),
    'Who guesses for days can disable an account that nobody signs in to meanwhile; its owner then needs recovery.',
    'Counts are kept in the store of records, or in the memory of one process; never in Valkey, whose failover may forget.',
  ]
  if (place !== 'gateway')
    found.push(
      'Inside an application the handler must be wrapped with withLockout: the guard cannot read a body that the application reads.',
    )
  if (full.some(({ success }) => success.some((status) => status >= 300)))
    found.push('A redirect counts as a success: where failures are redirected too, nothing is counted.')
  if (!cells.some(({ setting }) => tellsRecovery(setting)))
    found.push(
      'No route tells of recoveries and changes of passwords (recovery: true): a name that is disabled stays so until an operator resets it, and a browser that has signed in stays known for 180 days.',
    )
  if (cells.some(({ setting }) => setting.mode === 'report' && setting.name !== undefined))
    found.push('In report mode guesses are counted and refusals told to the audit log, but none is refused.')
  return found
}

function surgeLimits(full: readonly FullLockout[]): readonly string[] {
  return full.some(({ surge }) => surge === undefined)
    ? [
        'Guesses at very many accounts from very many addresses, each within its budget, are not held back: nobody is challenged while failures surge (surge).',
      ]
    : [
        'While failures surge, a puzzle makes guesses dearer and no fewer: whoever has many computers pays for it, each account’s budget holds all the same, and a client that can’t solve puzzles has to wait until the surge is over.',
        'The guesses that are under way at the moment when a surge begins are not challenged.',
      ]
}
