// Who is taken to call, for `sallyport explain`: as data with --as, or by scopes alone with --scopes.

import { CREDENTIAL_KINDS, type Principal } from '../guard/principal.ts'
import { type PolicyProblem, sentence } from '../policy/problem.ts'
import { type Infer, integer, list, object, oneOf, text } from '../policy/schema.ts'
import type { Invocation } from './command.ts'
import { Failure } from './failure.ts'

const word = text({ max: 512, expected: 'a text', mend: 'write it in quotes' }, 'A name.')
const callerSchema = object(
  {
    organisation: word,
    store: word,
    subject: word,
    kind: oneOf(CREDENTIAL_KINDS, 'The credential that was shown.'),
    role: word,
    plan: word,
    scopes: list(word, 'The scopes of the credential.'),
    methods: list(word, 'How the person signed in (RFC 8176).'),
    signedInSecondsAgo: integer({ min: 0, max: 315_360_000, example: 60 }, 'When.'),
  },
  'Who calls.',
)

/** @throws Failure where what is given is no caller */
export function callerOf(invocation: Invocation, now: number): Principal | undefined {
  const given = invocation.text('as')
  const scopes = invocation.text('scopes')
  if (given === undefined && scopes === undefined) return undefined
  const caller = given === undefined ? {} : readCaller(invocation, given)
  const { organisation = 'organisation', kind = 'token', signedInSecondsAgo, ...rest } = caller
  return {
    ...rest,
    organisation,
    credential: { kind, id: 'explain' },
    scopes: scopes === undefined ? (caller.scopes ?? []) : scopes.split(',').filter((scope) => scope !== ''),
    ...(signedInSecondsAgo === undefined ? {} : { signedInAt: now - signedInSecondsAgo * 1000 }),
  }
}

function readCaller(invocation: Invocation, given: string): Infer<typeof callerSchema> {
  const name = invocation.nameOf('as')
  let value: unknown
  try {
    value = JSON.parse(given)
  } catch {
    throw new Failure(`${name}: expected JSON; write --as '{"organisation":"acme","scopes":["orders:read"]}'`)
  }
  const problems: PolicyProblem[] = []
  callerSchema.check(value, name, (found) => problems.push(found))
  if (problems[0]) throw new Failure(sentence(problems[0]))
  return value as Infer<typeof callerSchema>
}
