// Reads the posture that a deployment publishes: the policy in it, which must be the one that its digest names.

import type { PolicyDocument } from '../guard/policy.ts'
import { digest } from '../policy/digest.ts'
import { PolicyFileError } from '../policy/load.ts'

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
    throw fail('is not JSON; name the posture as data, /.well-known/api-posture.json')
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
