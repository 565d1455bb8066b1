// Adopting the policy: from what runs now to a policy that changes nothing, the proof of it, and the steps from there.

import type { PolicyDocument } from '../../guard/policy.ts'
import { type Captured, verifyCaptured } from '../verify/captured.ts'
import { GENERAL } from '../verify/judge-general.ts'
import { RAW_CLASSES } from '../verify/raw-classes.ts'
import { CouldNotVerify, type Verification, type VerifyFinding } from '../verify/result.ts'
import { type VerifyOptions, verify } from '../verify/verify.ts'
import { send } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { type Inferred, inferPolicy } from './infer.ts'
import { type Answer, answerOf, answersOf, type Observed, observe } from './observed.ts'
import { type Step, stepsFrom } from './steps.ts'

/** Where the facts come from. */
export type AdoptSource =
  | {
      readonly kind: 'live'
      readonly target: WireTarget
      readonly options: VerifyOptions
      /** Origins to ask as: most servers tell only those that they list. */
      readonly origins: readonly string[]
    }
  | { readonly kind: 'har'; readonly captured: readonly Captured[]; readonly origin?: string }
  | { readonly kind: 'options'; readonly observed: Observed }

/** The proof that the policy changes nothing. */
interface Proof {
  readonly passed: number
  readonly of: number
  /** What it would change in the application's answers: nothing, if all is well. */
  readonly changes: readonly VerifyFinding[]
  /** Answers that no middleware reaches today and that the policy reaches too, and the headers that they get. */
  readonly gains: readonly { readonly classes: readonly string[]; readonly headers: readonly string[] }[]
}

/** All of it. */
export interface Adoption extends Inferred {
  readonly format: 'sallyport-adoption/1'
  readonly answers: number
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
  /** Absent where nothing runs to prove it against, or the policy sets nothing yet. */
  readonly proof?: Proof
}

/**
 * Adopts what runs.
 *
 * @throws CouldNotVerify where nothing answered
 */
export async function adopt(source: AdoptSource): Promise<Adoption> {
  const observed = await look(source)
  const inferred = inferPolicy(observed)
  const proof = inferred.taken.length === 0 ? undefined : await prove(inferred.policy, source)
  return {
    format: 'sallyport-adoption/1',
    ...inferred,
    answers: source.kind === 'options' ? 0 : observed.answers.length,
    steps: stepsFrom(inferred, observed),
    notes: observed.notes,
    ...(proof ? { proof: proofOf(proof) } : {}),
  }
}

// A policy of one header that says nothing of anybody's answers: what is wanted is the requests that verification makes.
const LOOKING: PolicyDocument = {
  headers: { strip: false },
  cache: { mode: 'off' },
  request: { mode: 'off' },
  errors: { mode: 'off' },
}

async function look(source: AdoptSource): Promise<Observed> {
  if (source.kind === 'options') return source.observed
  if (source.kind === 'har') {
    const answers = answersOf(source.captured, source.origin)
    if (answers.length === 0) throw new CouldNotVerify('no exchange in it is of the origin')
    return observe(answers)
  }
  const answers: Answer[] = []
  try {
    const { findings } = await verify(LOOKING, source.target, {
      ...source.options,
      place: 'node',
      onExchange(exchanged) {
        const answer = answerOf(exchanged)
        if (answer) answers.push(answer)
      },
    })
    const [first] = findings
    if (answers.length === 0 && first) throw new CouldNotVerify(`${first.detail}; ${first.mend}`)
  } catch (error) {
    // Where nothing is enforced, nothing can be held against it: that is no failure of looking.
    if (!(error instanceof CouldNotVerify) || answers.length === 0) throw error
  }
  const asOrigins = await askAs(source)
  const observed = observe([...answers, ...asOrigins])
  return observed.corsOrigins.length > 0
    ? observed
    : {
        ...observed,
        notes: [
          'no answer let another origin in; most servers tell only origins that they list, so name those with --origin',
        ],
      }
}

async function askAs({
  target,
  options,
  origins,
}: Extract<AdoptSource, { kind: 'live' }>): Promise<readonly Answer[]> {
  const path = options.samples?.[0]?.path ?? '/'
  const wire = options.wire ?? send
  const answers: Answer[] = []
  for (const origin of origins) {
    const result = await wire(target, { method: 'GET', path, headers: [['Origin', origin]] })
    if (result.kind === 'answer')
      answers.push({ method: 'GET', path, status: result.status, headers: result.headers })
  }
  return answers
}

async function prove(policy: PolicyDocument, source: AdoptSource): Promise<Verification | undefined> {
  if (source.kind === 'options') return undefined
  return source.kind === 'live'
    ? verify(policy, source.target, { ...source.options, place: 'node' })
    : verifyCaptured(policy, source.captured, 'har', {
        place: 'node',
        ...(source.origin === undefined ? {} : { origin: source.origin }),
      })
}

const BEFORE_MIDDLEWARE: ReadonlySet<string> = new Set<string>([
  ...RAW_CLASSES.map(([id]) => id),
  'bad-percent',
  'bad-request',
  'slow-head',
])

function proofOf({ passed, of, findings }: Verification): Proof {
  const isGain = ({ class: id, cell }: VerifyFinding) => BEFORE_MIDDLEWARE.has(id) || cell.startsWith('!')
  const byClass = Map.groupBy(findings.filter(isGain), ({ class: id, cell }) =>
    cell.startsWith('!') && !BEFORE_MIDDLEWARE.has(id) ? 'paths that are not canonical' : id,
  )
  const bySet = Map.groupBy(byClass, ([, list]) => headersIn(list).join())
  return {
    passed,
    of,
    // What is wrong with a certificate or a cookie is so without the policy too.
    changes: findings.filter(
      (each) => !isGain(each) && !each.id.startsWith('tls.') && each.control !== GENERAL.name,
    ),
    gains: Array.from(bySet.values(), (group) => ({
      classes: group.map(([id]) => id),
      headers: headersIn(group[0]![1]),
    })),
  }
}

function headersIn(findings: readonly VerifyFinding[]): readonly string[] {
  const names = findings.flatMap(({ mend }) => /([a-z0-9-]+): /i.exec(mend)?.[1]?.toLowerCase() ?? [])
  return [...new Set(names)].sort()
}
