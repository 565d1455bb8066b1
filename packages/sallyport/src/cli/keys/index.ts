// `sallyport keys`: make, list, show, rotate and revoke API keys, and the rules by which scanners know them.

import { isVendor, type KeyFormat, keyFormat } from '../../keys/format.ts'
import { scannerRules } from '../../keys/scanners.ts'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { operator } from '../operator.ts'
import { checkNames, type KnownNames, knownNames } from './known-names.ts'
import { list, revoke, showOne } from './look.ts'
import { namedOrganisation, organisationOf } from './organisation.ts'
import { type Administration, makeParent, withKeys } from './package.ts'
import { planOf } from './plan.ts'
import { prove } from './prove.ts'
import { choiceOf, durationOf, listOf, overlapOf } from './words.ts'

const ACTIONS = ['create', 'list', 'show', 'rotate', 'revoke', 'plan', 'prove', 'rule'] as const

interface Work {
  readonly invocation: Invocation
  readonly terminal: Terminal
  readonly format: KeyFormat
  readonly known: KnownNames
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
  if (action === 'list') await list(invocation, terminal)
  else if (action === 'show') await showOne(invocation, terminal, id!)
  else if (action === 'revoke') await revoke(invocation, terminal, id!, operator())
  else if (action === 'plan') await planOf(invocation, terminal, operator())
  else {
    const work = await workOf(invocation, terminal)
    if (action === 'prove') return prove(invocation, terminal, work.format, id!)
    if (action === 'rule') rule(work)
    else if (action === 'create') await create(work)
    else await rotate(work, id!)
  }
  return 0
}

// The text of a key is needed for these alone.
async function workOf(invocation: Invocation, terminal: Terminal): Promise<Work> {
  const known = await knownNames(invocation, terminal)
  const vendor = invocation.text('vendor') ?? known.setting.vendor
  if (vendor === undefined)
    throw new Failure(
      'keys carry the name of who makes them; set keys.vendor in the policy, or write --vendor acme',
    )
  if (!isVendor(vendor))
    throw new Failure(
      `--vendor: expected 2 to 20 of a–z and 0–9, a letter first, not live, test or prod, received ${show(vendor)}; write one such as acme`,
    )
  return { invocation, terminal, format: keyFormat(vendor), known }
}

function rule({ invocation, terminal, format }: Work): void {
  const { pattern, gitleaks } = scannerRules(format.vendor)
  if (invocation.flag('json')) terminal.out(JSON.stringify({ pattern, gitleaks }))
  else {
    terminal.out(`# For the partner programme of GitHub secret scanning:\n# ${pattern}\n\n${gitleaks.trim()}`)
  }
}

/** The organisation that is named, or a new one. */
async function ownerOf(
  administration: Administration,
  { invocation, known }: Work,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const found = await namedOrganisation(administration, invocation)
  if (found !== undefined) return { id: found.id, isNew: false }
  const wanted = invocation.text('organisation')!
  if (!invocation.flag('create-organisation'))
    throw new Failure(
      `--organisation: there is none named ${show(wanted)}; make it with --create-organisation`,
    )
  const plan = invocation.text('plan') ?? known.defaultPlan ?? 'free'
  return { id: await administration.createOrganisation(wanted, plan, operator()), isNew: true }
}

/** When a new generation expires: as said, as the policy says, or never. */
function expiryOf({ invocation, known: { setting } }: Work): number | undefined {
  if (invocation.text('expires') === 'never') return undefined
  const seconds = durationOf(invocation, 'expires') ?? (setting.expiresAfterDays ?? 365) * 86_400
  return Date.now() + seconds * 1000
}

async function create(work: Work): Promise<void> {
  const { invocation, terminal, format, known } = work
  const kind = choiceOf(invocation, 'kind', ['secret', 'publishable'])
  const environment = choiceOf(invocation, 'environment', ['live', 'test'])
  const [owner, plan] = [invocation.text('on-behalf'), invocation.text('plan')]
  const [scopes, origins] = [listOf(invocation, 'scopes'), listOf(invocation, 'origins')]
  const remarks = [
    ...checkNames(known, '--scopes', 'scope', 'scopes', scopes),
    ...checkNames(known, '--plan', 'plan', 'plans', plan === undefined ? [] : [plan]),
    ...(kind === 'publishable' && origins.length === 0
      ? ['It lists no --origins: no page can use it, only programs that send no Origin, such as apps.']
      : []),
  ]
  const expiresAt = expiryOf(work)
  await makeParent(invocation, terminal)
  const made = await withKeys(invocation, terminal, format, async (administration) => {
    const { id: organisation, isNew } = await ownerOf(administration, work)
    const { key, id } = await administration.create({
      organisation,
      name: invocation.text('name')!,
      kind,
      environment,
      ...(owner === undefined ? {} : { owner }),
      // A new organisation has the plan itself.
      ...(plan === undefined || isNew ? {} : { plan }),
      scopes,
      origins,
      cidrs: listOf(invocation, 'networks'),
      createdBy: operator(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })
    return { key, id, organisation }
  })
  const expires = expiresAt === undefined ? null : new Date(expiresAt).toISOString()
  giveOut(work, made.key, { id: made.id, organisation: made.organisation, expires }, [
    `It is not kept and can’t be shown again. Its id is ${made.id}, of organisation ${made.organisation};`,
    expires === null ? 'it never expires.' : `it expires on ${expires.slice(0, 10)}.`,
  ])
  for (const remark of new Set(remarks)) terminal.err(remark)
}

async function rotate(work: Work, id: string): Promise<void> {
  const { invocation, terminal, format, known } = work
  const overlapSeconds = overlapOf(invocation) ?? known.setting.overlapSeconds ?? 0
  const expiresAt = expiryOf(work)
  const made = await withKeys(invocation, terminal, format, async (administration) =>
    administration.rotate((await organisationOf(administration, invocation)).id, id, operator(), {
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
