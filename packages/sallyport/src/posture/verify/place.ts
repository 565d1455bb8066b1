// Where the policy runs: a gateway refuses a path that is not canonical, an application may answer it from its strict
// cell. Without knowing which, the answer of either must be taken, and a gateway behind something that cleans paths
// would pass.

import { type DisclosureSetting, POSTURE_JSON_PATH } from '../../controls/disclosure/setting.ts'
import type { RequestSetting } from '../../controls/request/setting.ts'
import type { Place, ProbeRequest } from '../../guard/control.ts'
import type { ResolvedPolicy } from '../../guard/resolve.ts'
import type { NotRun } from './result.ts'

const PLACES: readonly Place[] = ['gateway', 'node', 'fetch']

/** Asks for the posture as data, which says where the policy runs. */
export const ASK_PLACE: ProbeRequest = { method: 'GET', path: POSTURE_JSON_PATH, headers: [] }

/** True where the policy itself says that its posture is published to everybody. */
export function saysPlace({ cells }: ResolvedPolicy): boolean {
  const { mode = 'enforce', posture } = cells.at(-2)!.settings['disclosure'] as DisclosureSetting
  return mode === 'enforce' && posture === 'public'
}

/** The place that a published posture names; `undefined` where the text is none. */
export function placeIn(answer: { readonly status: number; readonly body: string }): Place | undefined {
  if (answer.status !== 200) return undefined
  try {
    const { format, place } = (JSON.parse(answer.body) ?? {}) as Record<string, unknown>
    return format === 'sallyport-posture/1' ? PLACES.find((each) => each === place) : undefined
  } catch {
    return undefined
  }
}

/** What is not judged where the place is not known; a policy that says itself what such a path meets needs none. */
export function notJudgedWithout(place: Place | undefined, { cells }: ResolvedPolicy): readonly NotRun[] {
  const { mode = 'enforce', nonCanonical } = cells.at(-1)!.settings['request'] as RequestSetting
  if (place !== undefined || nonCanonical !== undefined || mode !== 'enforce') return []
  return [
    {
      probe: 'paths that are not canonical',
      because: "both a gateway's and an application's answer are taken; say --place gateway",
    },
  ]
}
