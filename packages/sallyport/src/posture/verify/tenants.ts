// Asks for the objects of one organisation as another and as nobody: whoever is answered with what is the owner's sees
// over the boundary between them (claim H2).

import { headerValues } from '../../controls/faces.ts'
import type { Finding } from '../../guard/control.ts'
import { curlLine } from '../wire/request.ts'
import type { WireAnswer } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { askerOf } from './ask.ts'
import { classOf } from './classes.ts'
import { type Credential, standIns } from './credential.ts'
import { isTold, marksOf, toldOf } from './marks.ts'
import type { Oracle } from './oracle.ts'
import { type Owned, type Parts, requestFor, type Swap, swapsOf } from './owned.ts'
import type { Run } from './replica.ts'

/** What the probe needs to know of the run. */
export interface TenantRun {
  readonly run: Run
  readonly target: WireTarget
  readonly oracle: Oracle
  readonly credentials: readonly Credential[]
  readonly owned: readonly Owned[]
  readonly allowWrites: boolean
  /** Requests that may be sent. */
  readonly budget: number
}

const NOBODY = undefined

/** Proves that what is owned stays with its owner. */
export async function verifyTenants(given: TenantRun): Promise<void> {
  const { run, owned, credentials, allowWrites } = given
  const { account } = run
  if (owned.length === 0) return
  const roles = [...new Set(credentials.map(({ role }) => role))]
  const ask = askingAs(given)
  const reads = owned.filter(({ method = 'GET' }) => method === 'GET')
  // What each owner is answered is known before anybody else asks: what two of them are answered alike is nobody's own.
  const answers = new Map<Owned, string>()
  for (const each of reads) {
    const name = nameOf(each)
    if (!roles.includes(each.by)) {
      account.skip({
        probe: name,
        because: `no credential of ${each.by} is given; add --credential ${each.by}=…`,
      })
      continue
    }
    const answer = await ask(each.by, requestFor(each))
    if (answer === undefined) continue
    const isLetIn = answer.status >= 200 && answer.status < 300
    if (answer.status === 429) {
      account.skip({ probe: name, because: 'a limit refused its owner' })
      continue
    }
    conclude(given, each, each.by, requestFor(each), answer, isLetIn ? [] : [ownerRefused(each, answer)])
    if (isLetIn) answers.set(each, answer.body)
  }
  for (const each of owned) {
    const others = roles.filter((role) => role !== each.by)
    if (others.length === 0)
      account.skip({
        probe: `${nameOf(each)}, as another organisation`,
        because: 'it needs a second credential',
      })
    if (each.method !== undefined && each.method !== 'GET' && each.method !== 'HEAD') {
      if (!allowWrites)
        account.skip({ probe: nameOf(each), because: 'it would write; run it with --allow-writes' })
      else for (const role of [...others, NOBODY]) await askToWrite(given, ask, each, role)
      continue
    }
    const before = answers.get(each)
    if (before !== undefined) await askForRead(given, ask, each, others, before, answers)
  }
}

type Ask = (role: string | undefined, request: Parts) => Promise<WireAnswer | undefined>

async function askForRead(
  given: TenantRun,
  ask: Ask,
  each: Owned,
  others: readonly string[],
  before: string,
  answers: ReadonlyMap<Owned, string>,
): Promise<void> {
  // Asked right before the others, so that what a cache has kept is the owner's.
  const again = await ask(each.by, requestFor(each))
  if (again === undefined) return
  const byOthers = [...answers].filter(([other]) => other.by !== each.by)
  const sent = JSON.stringify([each.path, each.headers])
  const marks = marksOf(
    [before, again.body],
    sent,
    byOthers.map(([, body]) => body),
  )
  if (marks.length === 0)
    given.run.account.skip({
      probe: `${nameOf(each)}, by what it tells`,
      because: "nothing in it is the owner's alone, so only the refusal of others is judged",
    })
  for (const role of [...others, NOBODY]) {
    const own = role === NOBODY ? undefined : ownBeside(each, role, answers)
    // One path for all, answered by who asks, is refused to nobody.
    const isShared = own?.path === each.path
    for (const swap of swapsOf(each, own)) {
      const answer = await ask(role, swap.request)
      if (answer === undefined || answer.status === 429) continue
      conclude(given, each, role, swap.request, answer, judge(each, swap, answer, marks, before, isShared))
    }
  }
  await askDeceivingCaches(given, ask, each, marks)
}

/** A cache that goes by the ending of a path may keep what the owner is answered there, for everybody. */
async function askDeceivingCaches(
  given: TenantRun,
  ask: Ask,
  each: Owned,
  marks: readonly string[],
): Promise<void> {
  const request = requestFor({ ...each, path: `${each.path.replace(/\?.*$/, '')}/sallyport-verify.css` })
  const kept = await ask(each.by, request)
  if (kept === undefined || !isTold(marks, toldOf(marks, kept.body))) return
  const answer = await ask(NOBODY, request)
  if (answer === undefined) return
  const swap: Swap = { request, how: 'the ending of a style sheet', isPlain: false }
  conclude(given, each, NOBODY, request, answer, judge(each, swap, answer, marks, '', false))
}

async function askToWrite(given: TenantRun, ask: Ask, each: Owned, role: string | undefined): Promise<void> {
  const request = requestFor(each)
  const answer = await ask(role, request)
  if (answer === undefined) return
  const found: Finding = {
    id: 'tenancy.foreign-row',
    detail: `${each.method} of an object of ${each.by} is answered with ${answer.status}`,
    mend: 'refuse it with 403 or 404, by the tenant of the caller',
  }
  conclude(given, each, role, request, answer, answer.status < 300 ? [found] : [])
}

function judge(
  each: Owned,
  { how, isPlain }: Swap,
  answer: WireAnswer,
  marks: readonly string[],
  before: string,
  isShared: boolean,
): readonly Finding[] {
  const told = toldOf(marks, answer.body)
  const isSuccess = answer.status >= 200 && answer.status < 300
  const isSame = isSuccess && isPlain && !isShared && before !== '' && answer.body === before
  const isForeign = isTold(marks, told)
  if (isForeign || isSame)
    return [
      {
        id: 'tenancy.foreign-row',
        // Whose data it is must not stand in a report.
        detail: `by ${how}, ${isForeign ? `${told.length} of ${marks.length} values that are` : 'the whole answer that is'} ${each.by}'s alone (status ${answer.status})${cachedWords(answer)}`,
        mend: 'hold each query, and the key of each cache, to the tenant of the caller',
      },
    ]
  const isFault = answer.status >= 500
  if (!isPlain || isShared || !(isSuccess || isFault)) return []
  return [
    {
      id: 'tenancy.not-refused',
      detail: `by ${how}, an object of ${each.by} is answered with ${answer.status}, though with nothing that is its owner's alone`,
      mend: 'answer it with 403 or 404',
    },
  ]
}

function ownerRefused({ by, path }: Owned, { status }: WireAnswer): Finding {
  return {
    id: 'tenancy.owner-refused',
    detail: `its owner ${by} is answered with ${status} for ${path}, so a refusal of others would prove nothing`,
    mend: 'name an object that its owner may read',
  }
}

function cachedWords(answer: WireAnswer): string {
  const age = headerValues(answer, 'age')[0]
  const isHit = headerValues(answer, 'x-cache').some((value) => /hit/i.test(value))
  return age !== undefined || isHit
    ? `, out of a cache${age === undefined ? '' : ` (Age: ${age.slice(0, 12)})`}`
    : ''
}

function ownBeside(each: Owned, role: string, answers: ReadonlyMap<Owned, string>): Owned | undefined {
  const own = [...answers.keys()].filter(({ by }) => by === role)
  const parent = (path: string) => path.replace(/\?.*$/, '').replace(/[^/]*$/, '')
  return (
    own.find(({ path }) => path === each.path) ?? own.find(({ path }) => parent(path) === parent(each.path))
  )
}

function nameOf({ path, by, method = 'GET' }: Owned): string {
  return `tenant ${by}: ${method} ${path}`
}

function conclude(
  { run, target, oracle, credentials }: TenantRun,
  each: Owned,
  role: string | undefined,
  request: Parts,
  answer: WireAnswer,
  found: readonly Finding[],
): void {
  run.account.conclude(
    JSON.stringify(['tenant', each, request]),
    'tenancy',
    {
      class: classOf(request, answer, undefined),
      cell: oracle.cellOf(requestFor(each)),
      curl: curlLine(target, shownBy(role, request, credentials), standIns(credentials)(role)),
    },
    found,
    role,
  )
}

/** Asks as a role; `undefined` where nothing came or no more may be sent. */
function askingAs({ run, target, credentials, budget }: TenantRun): Ask {
  const asker = askerOf(run, target)
  return async (role, request) => {
    if (run.options.signal?.aborted) return undefined
    if (asker.sent >= budget) {
      run.account.skip({
        probe: `tenant: ${request.method} ${request.path}`,
        because: 'over the limit of requests; raise it with --max-requests',
      })
      return undefined
    }
    const result = await asker.ask(shownBy(role, request, credentials), role)
    return result.kind === 'answer' ? result : undefined
  }
}

function shownBy(role: string | undefined, request: Parts, credentials: readonly Credential[]): Parts {
  const shown = credentials.filter((each) => each.role === role)
  return {
    ...request,
    headers: [...request.headers, ...shown.map(({ header, value }) => [header, value] as const)],
  }
}
