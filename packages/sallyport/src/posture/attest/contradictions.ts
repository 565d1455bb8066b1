// Fields of one statement that say different things: a reader that looks at one of them and a reader that looks at the
// other would take it for two statements. None that this tool writes holds any.

import { DETAIL, MOST_DAYS, propertyOf, provedOf, type Statement } from './statement.ts'

const DAY_MS = 86_400_000

/** Every contradiction of a statement, in words. */
export function* contradictionsOf({ subject, predicate }: Statement): Iterable<string> {
  const detail = predicate[DETAIL]
  const { controls, expires, passed, of, source } = detail
  const [target, ...others] = subject
  if (others.length > 0) yield `it is about ${subject.length} subjects, and one verification is of one`
  if (target!.uri !== undefined && target!.uri !== target!.name)
    yield `its subject is named ${target!.name}, and has the URI ${target!.uri}`
  const { policies } = predicate.verifier
  if (policies.length !== 1 || policies[0]!.digest.sha256 !== target!.digest.sha256)
    yield `the policy of its verifier is not that of its subject, ${target!.digest.sha256}`
  if (source !== 'live') yield `it was made of recorded answers (${source}); verify the deployment itself`
  const ids = new Set(controls.map(({ id }) => id))
  if (ids.size !== controls.length) yield 'it tells of one control twice'
  for (const { id, passed: held, of: run } of controls)
    if (held > run) yield `${id}: ${held} probes hold, of ${run} that were run`
  const sum = controls.reduce((total, each) => total + each.passed, 0)
  if (sum !== passed) yield `it says that ${passed} of ${of} probes hold, and of its controls ${sum} do`
  const proved = provedOf(detail).map(({ id }) => propertyOf(id))
  const unproved = predicate.properties.filter((each) => !proved.includes(each))
  if (unproved.length > 0) yield `it names ${unproved.join(', ')}, which it does not prove`
  const [from, to] = [Date.parse(predicate.timeCreated), Date.parse(expires)]
  if (to > from + MOST_DAYS * DAY_MS)
    yield `it expires at ${expires}, more than ${MOST_DAYS} days after it was made`
  else if (to <= from) yield `it expires at ${expires}, before it was made`
}
