// `sallyport keys`: make, list, show, rotate and revoke API keys, and the rules by which scanners know them.

import type { KeysSetting } from '../../controls/keys/setting.ts'
import { isVendor, type KeyFormat, keyFormat } from '../../keys/format.ts'
import { scannerRules } from '../../keys/scanners.ts'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { columns } from '../help.ts'
import { choosePolicy } from '../policy-choice.ts'
import { type Administration, makeParent, withKeys } from './package.ts'
import { prove } from './prove.ts'
import { shown, stateOf } from './shown.ts'
import { choiceOf, durationOf, listOf } from './words.ts'

const ACTIONS = ['create', 'list', 'show', 'rotate', 'revoke', 'prove', 'rule'] as const
// Who does it, in the records: whoever may run the command may do anything to the store.
const ACTOR = 'command'

interface Work {
  readonly invocation: Invocation
  readonly terminal: Terminal
  readonly format: KeyFormat
  readonly setting: KeysSetting
}

/** Runs the command. */
export async function keysCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action, id] = invocation.operands
  if (!ACTIONS.some((each) => each === action))
    throw new Failure(
      `keys: expected ${ACTIONS.slice(0, -1).join(', ')} or rule, received ${show(action)}; see "sallyport keys --help"`,
    )
  const needsId = action === 'show' || action === 'rotate' || action === 'revoke' || action === 'prove'
  if (needsId !== (id !== undefined))
    throw new Failure(
      needsId
        ? action === 'prove'
          ? 'keys prove needs the address that a key opens; write https://api.example.com/v1/account'
          : `keys ${action} needs the id of a key; "sallyport keys list" shows them`
        : `keys ${action} takes no operand, received ${show(id)}; see "sallyport keys --help"`,
    )
  const setting = await settingOf(invocation, terminal)
  const vendor = invocation.text('vendor') ?? setting.vendor
  if (vendor === undefined)
    throw new Failure(
      'keys carry the name of who makes them; set keys.vendor in the policy, or write --vendor acme',
    )
  if (!isVendor(vendor))
    throw new Failure(
      `--vendor: expected 2 to 20 of a–z and 0–9, a letter first, not live, test or prod, received ${show(vendor)}; write one such as acme`,
    )
  const work = { invocation, terminal, format: keyFormat(vendor), setting }
  if (action === 'prove') return prove(invocation, terminal, work.format, id!)
  if (action === 'rule') rule(work)
  else if (action === 'create') await create(work)
  else if (action === 'list') await list(work)
  else if (action === 'show') await showOne(work, id!)
  else if (action === 'rotate') await rotate(work, id!)
  else await revoke(work, id!)
  return 0
}

async function settingOf(invocation: Invocation, terminal: Terminal): Promise<KeysSetting> {
  const { resolved } = await choosePolicy(invocation, terminal, { policy: {}, source: 'no policy' })
  return resolved.cells.find(({ origin }) => origin === 'default')!.settings['keys'] as KeysSetting
}

function rule({ invocation, terminal, format }: Work): void {
  const { pattern, gitleaks } = scannerRules(format.vendor)
  if (invocation.flag('json')) terminal.out(JSON.stringify({ pattern, gitleaks }))
  else {
    terminal.out(`# For the partner programme of GitHub secret scanning:\n# ${pattern}\n\n${gitleaks.trim()}`)
  }
}

async function organisationOf(
  administration: Administration,
  invocation: Invocation,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const wanted = invocation.text('organisation')
  if (wanted === undefined)
    throw new Failure('keys belong to an organisation; name it with --organisation NAME or its id')
  const found = await administration.organisation(wanted)
  if (found !== undefined) return { id: found.id, isNew: false }
  if (!invocation.flag('create-organisation'))
    throw new Failure(
      `--organisation: there is none named ${show(wanted)}; make it with --create-organisation`,
    )
  return {
    id: await administration.createOrganisation(wanted, invocation.text('plan') ?? 'free'),
    isNew: true,
  }
}

/** When a new generation expires: as said, as the policy says, or never. */
function expiryOf({ invocation, setting }: Work): number | undefined {
  if (invocation.text('expires') === 'never') return undefined
  const seconds = durationOf(invocation, 'expires') ?? (setting.expiresAfterDays ?? 365) * 86_400
  return Date.now() + seconds * 1000
}

async function create(work: Work): Promise<void> {
  const { invocation, terminal, format } = work
  const kind = choiceOf(invocation, 'kind', ['secret', 'publishable'])
  const environment = choiceOf(invocation, 'environment', ['live', 'test'])
  const [owner, plan] = [invocation.text('on-behalf'), invocation.text('plan')]
  const expiresAt = expiryOf(work)
  await makeParent(invocation, terminal)
  const made = await withKeys(invocation, terminal, format, async (administration) => {
    const { id: organisation, isNew } = await organisationOf(administration, invocation)
    const { key, id } = await administration.create({
      organisation,
      name: invocation.text('name')!,
      kind,
      environment,
      ...(owner === undefined ? {} : { owner }),
      // A new organisation has the plan itself.
      ...(plan === undefined || isNew ? {} : { plan }),
      scopes: listOf(invocation, 'scopes'),
      origins: listOf(invocation, 'origins'),
      cidrs: listOf(invocation, 'networks'),
      createdBy: ACTOR,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })
    return { key, id, organisation }
  })
  const expires = expiresAt === undefined ? null : new Date(expiresAt).toISOString()
  giveOut(work, made.key, { id: made.id, organisation: made.organisation, expires }, [
    `It is not kept and can’t be shown again. Its id is ${made.id}, of organisation ${made.organisation};`,
    expires === null ? 'it never expires.' : `it expires on ${expires.slice(0, 10)}.`,
  ])
}

async function rotate(work: Work, id: string): Promise<void> {
  const { invocation, terminal, format, setting } = work
  const overlapSeconds = durationOf(invocation, 'overlap') ?? setting.overlapSeconds ?? 0
  const expiresAt = expiryOf(work)
  const made = await withKeys(invocation, terminal, format, async (administration) =>
    administration.rotate((await organisationOf(administration, invocation)).id, id, ACTOR, {
      overlapSeconds,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  )
  const ends = new Date(made.beforeEndsAt).toISOString()
  giveOut(work, made.key, { id, generation: made.generation, previousEnds: ends }, [
    'It is not kept and can’t be shown again.',
    overlapSeconds === 0 ? 'The one before has ended.' : `The one before ends at ${ends}.`,
  ])
}

// The key alone goes to the standard output, so that it can go into a file or a secret store without being seen.
function giveOut(
  { invocation, terminal }: Work,
  key: string,
  facts: object,
  remark: readonly string[],
): void {
  if (invocation.flag('json')) terminal.out(JSON.stringify({ key, ...facts }))
  else {
    terminal.out(key)
    terminal.err(remark.join(' '))
  }
}

async function list({ invocation, terminal, format }: Work): Promise<void> {
  const days = invocation.text('unused')
  if (days !== undefined && !/^\d{1,4}$/.test(days))
    throw new Failure(`--unused: expected a number of days, received ${show(days)}; write one such as 90`)
  const keys = await withKeys(invocation, terminal, format, async (administration) =>
    days === undefined
      ? administration.list((await organisationOf(administration, invocation)).id, 1_000)
      : administration.unused(Number(days), 1_000),
  )
  if (invocation.flag('json')) terminal.out(JSON.stringify({ keys: keys.map(shown) }, null, 2))
  else if (keys.length === 0) terminal.out('no keys')
  else
    for (const line of columns(
      keys.map((key) => [key.id, key.display, key.name, key.scopes.join(',') || '-', stateOf(key)]),
    ))
      terminal.out(line)
}

async function showOne({ invocation, terminal, format }: Work, id: string): Promise<void> {
  const key = await withKeys(invocation, terminal, format, async (administration) =>
    administration.show((await organisationOf(administration, invocation)).id, id),
  )
  const facts = { ...shown(key), generation: key.generation }
  if (invocation.flag('json')) terminal.out(JSON.stringify(facts, null, 2))
  else
    for (const line of columns(
      Object.entries(facts).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') || '-' : String(value ?? '-'),
      ]),
    ))
      terminal.out(line)
}

async function revoke({ invocation, terminal, format }: Work, id: string): Promise<void> {
  const done = await withKeys(invocation, terminal, format, async (administration) =>
    administration.revoke(
      (await organisationOf(administration, invocation)).id,
      id,
      ACTOR,
      invocation.text('reason')!,
    ),
  )
  if (invocation.flag('json')) terminal.out(JSON.stringify({ id, revoked: true, before: !done }))
  else
    terminal.out(
      done ? `revoked ${id}: every node refuses it within two seconds` : `${id} was revoked before`,
    )
}
