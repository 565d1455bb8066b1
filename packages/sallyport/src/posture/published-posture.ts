// Reads the posture that a deployment publishes: the policy in it, which must be the one that its digest names.

import {
  POSTURE_JSON_PATH,
  POSTURE_PATH,
  REVIEWER_JSON_PATH,
  REVIEWER_PATH,
} from '../controls/disclosure/setting.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import { digest } from '../policy/digest.ts'
import { PolicyFileError } from '../policy/load.ts'

/** The path and query of the posture as data, where those of its page are given; every other as it is. */
export function asDataPath(target: string): string {
  const [path = '', ...query] = target.split('?')
  const data = DATA.get(path.replace(/\/$/, ''))
  return data === undefined ? target : [data, ...query].join('?')
}

// One signature opens a reviewer's page and its data.
const DATA: ReadonlyMap<string, string> = new Map([
  ['', POSTURE_JSON_PATH],
  [POSTURE_PATH, POSTURE_JSON_PATH],
  [REVIEWER_PATH, REVIEWER_JSON_PATH],
])

/** No posture is larger. */
export const MAX_POSTURE_BYTES = 4_194_304

/** Reads its text. @throws PolicyFileError that names where it was read and what to do */
export async function readPosture(text: string, name: string): Promise<PolicyDocument> {
  const fail = (why: string) => new PolicyFileError(name, `${name}: ${why}`)
  if (text.length > MAX_POSTURE_BYTES)
    throw fail('is larger than any posture; name the posture as data, /.well-known/api-posture.json')
  let posture: { format?: unknown; document?: unknown; policyDigest?: unknown } | null
  try {
    posture = JSON.parse(text)
  } catch {
    throw fail(
      "is not JSON; name the posture as data: /.well-known/api-posture.json, or the data link of a reviewer's two (sallyport posture --link)",
    )
  }
  if (posture?.format !== 'sallyport-posture/1')
    throw fail('is no posture of Sallyport; name the posture as data, /.well-known/api-posture.json')
  if (typeof posture.document !== 'object' || posture.document === null)
    throw fail("leaves the policy itself to reviewers; use a reviewer's link (sallyport posture --link)")
  const policy = posture.document as PolicyDocument
  if (posture.policyDigest !== (await digest(policy)))
    throw fail('the policy there is not the one that its digest names; ask who publishes it')
  return policy
}
