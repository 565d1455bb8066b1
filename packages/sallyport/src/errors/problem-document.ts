// RFC 9457 problem documents: what a caller may read, and nothing else.

import { catalogue, type ErrorCode } from './catalogue.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** Where the page of a code stands, relative to the API's origin. */
export const PROBLEM_BASE = '/.well-known/problems/'

const heads = new Map<string, string>()

/**
 * The body of a problem: type, title, status, code and, where there is one, the request id. Nothing of the cause can
 * enter it, since nothing but catalogue constants and the id are written.
 *
 * @param status the status of the answer, where it differs from the code's own
 * @see RFC 9457, section 3.1
 */
export function problemBody(
  code: ErrorCode,
  requestId: string,
  status: number = catalogue[code].status,
): string {
  const key = `${code} ${status}`
  let head = heads.get(key)
  if (head === undefined) {
    const { title } = catalogue[code]
    head = `{"type":"${PROBLEM_BASE}${code}","title":${JSON.stringify(title)},"status":${status},"code":"${code}"`
    // Codes and statuses are few; the map can't grow beyond their product.
    heads.set(key, head)
  }
  return requestId === '' ? `${head}}` : `${head},"requestId":"${requestId}"}`
}
