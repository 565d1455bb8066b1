// `sallyport keys list`, `show` and `revoke`: what needs no policy, since no key is made.

import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { columns } from '../help.ts'
import { organisationOf } from './organisation.ts'
import { type Administration, type ShownKey, withKeys } from './package.ts'
import { shown, stateOf, wordOf } from './shown.ts'
import { durationOf } from './words.ts'

const MOST_OF_ONE = 1_000
const MOST_OF_ALL = 10_000

/** Lists the keys of an organisation, or those of all that nobody used or that expire. */
export async function list(invocation: Invocation, terminal: Terminal): Promise<void> {
  const days = invocation.text('unused')
  if (days !== undefined && !/^\d{1,4}$/.test(days))
    throw new Failure(`--unused: expected a number of days, received ${show(days)}; write one such as 90`)
  const expiring = durationOf(invocation, 'expiring')
  if (days !== undefined && expiring !== undefined)
    throw new Failure('--expiring: goes without --unused; write one of them')
  const isOfAll = invocation.text('organisation') === undefined
  const keys = await withKeys(invocation, terminal, undefined, async (administration) => {
    const found =
      days !== undefined
        ? administration.unused(Number(days), MOST_OF_ALL)
        : expiring === undefined
          ? undefined
          : administration.expiring(expiring, MOST_OF_ALL)
    return keysOf(administration, invocation, await found, isOfAll)
  })
  if (invocation.flag('json')) terminal.out(JSON.stringify({ keys: keys.map(shown) }, null, 2))
  else if (keys.length === 0) terminal.out('no keys')
  else
    for (const line of columns(
      keys.map((key) => [
        key.id,
        ...(isOfAll ? [key.organisation_id] : []),
        key.display,
        key.name,
        key.scopes.join(',') || '-',
        stateOf(key),
      ]),
    ))
      terminal.out(line)
}

async function keysOf(
  administration: Administration,
  invocation: Invocation,
  found: readonly ShownKey[] | undefined,
  isOfAll: boolean,
): Promise<readonly ShownKey[]> {
  if (found !== undefined && isOfAll) return found
  const { id } = await organisationOf(administration, invocation)
  return found === undefined
    ? administration.list(id, MOST_OF_ONE)
    : found.filter(({ organisation_id }) => organisation_id === id)
}

/** Tells every fact of a key. */
export async function showOne(invocation: Invocation, terminal: Terminal, id: string): Promise<void> {
  const key = await withKeys(invocation, terminal, undefined, async (administration) =>
    administration.show((await organisationOf(administration, invocation)).id, id),
  )
  const facts = { ...shown(key), generation: key.generation }
  if (invocation.flag('json')) terminal.out(JSON.stringify(facts, null, 2))
  else
    for (const line of columns(Object.entries(facts).map(([name, value]) => [name, wordOf(value)])))
      terminal.out(line)
}

/** Ends a key. */
export async function revoke(
  invocation: Invocation,
  terminal: Terminal,
  id: string,
  actor: string,
): Promise<void> {
  const done = await withKeys(invocation, terminal, undefined, async (administration) =>
    administration.revoke(
      (await organisationOf(administration, invocation)).id,
      id,
      actor,
      invocation.text('reason')!,
    ),
  )
  if (invocation.flag('json')) terminal.out(JSON.stringify({ id, revoked: true, before: !done }))
  else
    terminal.out(
      done ? `revoked ${id}: every node refuses it within two seconds` : `${id} was revoked before`,
    )
}
