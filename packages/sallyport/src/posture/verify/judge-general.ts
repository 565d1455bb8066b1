// What no policy has to declare: how browsers keep the application's cookies, what headers and the body of a success tell. It
// is judged as `grade` judges it, and stands in the report beside the controls.

import { headerValues } from '../../controls/faces.ts'
import type { HeadersSetting } from '../../controls/headers/setting.ts'
import type { Weighed } from '../grade/context.ts'
import { judgeCookies } from '../grade/judge-cookies.ts'
import { type Leak, leaksIn } from '../grade/leaks.ts'
import type { WireAnswer } from '../wire/send.ts'
import { judgeHeaderLeaks } from './judge-header-leaks.ts'
import type { Expectation } from './oracle.ts'

/** What stands in the place of a control's name and id. */
export const GENERAL = {
  name: 'general',
  title: 'Cookies, and what headers and bodies of successes tell',
} as const

// What may be an answer by right: a token that is asked for, a member that is called secret.
const BY_RIGHT: ReadonlySet<string> = new Set(['a token in JSON Web form', 'a secret by its name'])

/**
 * Judges an answer; `undefined` where there is nothing to judge. Errors' bodies are the matter of the control `errors`.
 */
export function judgeGeneral(
  answer: WireAnswer,
  { owners, settings }: Pick<Expectation, 'owners' | 'settings'>,
): readonly Weighed[] | undefined {
  const hasCookies = headerValues(answer, 'set-cookie').length > 0
  const hasBody = answer.status < 400 && answer.body !== ''
  const headers = settings['headers'] as HeadersSetting
  const leaks = judgeHeaderLeaks(answer, (name) => owners.has(name), headers.strip === false)
  if (!hasCookies && !hasBody && leaks.length === 0) return undefined
  return [
    ...judgeCookies(answer),
    ...leaks,
    ...(hasBody ? leaksIn(answer.body).filter(isTold).map(told) : []),
  ]
}

function isTold({ kind, what }: Leak): boolean {
  return kind === 'stack' || kind === 'debug-page' || (kind === 'secret' && !BY_RIGHT.has(what))
}

function told({ what, sample }: Leak): Weighed {
  return {
    id: 'leak.error-detail',
    detail: `the body tells ${what}: ${sample}`,
    mend: 'take it out of the answer; a secret that was answered has to be replaced',
  }
}
