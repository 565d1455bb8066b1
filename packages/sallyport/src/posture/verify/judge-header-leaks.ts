// What the headers of any answer tell of the inside. Names that the policy owns are judged by it, and left alone here; so are
// banners where it says in so many words that it takes none away.

import type { Weighed } from '../grade/context.ts'
import { judgeBanners } from '../grade/judge-headers.ts'
import { leaksIn } from '../grade/leaks.ts'
import type { WireAnswer } from '../wire/send.ts'

const BANNERS = new Set(['leak.framework', 'leak.server-version'])
const DEBUG_NAME = /^x-debug-/

/**
 * Judges the headers of an answer.
 *
 * @param isOwned true for a name, in small letters, that the policy owns
 * @param keepsBanners true where the policy says that none is taken away
 */
export function judgeHeaderLeaks(
  answer: WireAnswer,
  isOwned: (name: string) => boolean,
  keepsBanners: boolean,
): readonly Weighed[] {
  const headers = answer.headers.filter(([name]) => !isOwned(name.toLowerCase()))
  const banners = judgeBanners({
    answer: { ...answer, headers },
    context: 'json',
    authenticated: false,
    method: 'GET',
    path: '',
  }).filter(({ id }) => id.startsWith('leak.') && (keepsBanners ? !BANNERS.has(id) : true))
  return [...banners, ...headers.flatMap(([name, value]) => told(name, value, banners))]
}

function told(name: string, value: string, known: readonly Weighed[]): readonly Weighed[] {
  const lower = name.toLowerCase()
  const detail = `${name}: ${value}`
  if (known.some((each) => each.detail === detail)) return []
  const mend = `remove ${name}`
  if (lower === 'server-timing') return [{ id: 'leak.debug-header', detail, mend, severity: 'low' }]
  if (DEBUG_NAME.test(lower)) return [{ id: 'leak.debug-header', detail, mend }]
  return leaksIn(value)
    .filter(({ kind }) => kind === 'stack' || kind === 'database')
    .map(({ what, sample }) => ({
      id: 'leak.error-detail',
      detail: `${name} tells ${what}: ${sample}`,
      mend,
    }))
}
