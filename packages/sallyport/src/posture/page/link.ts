// Links for reviewers: a time until which they hold, and a signature over it that only the holder of the key can make.
// The page and its data show the same, so one signature opens both: who was sent the page can hand it to `diff`.

import { REVIEWER_JSON_PATH, REVIEWER_PATH } from '../../controls/disclosure/setting.ts'

/** The environment variable with the key. */
export const LINK_KEY_VARIABLE = 'SALLYPORT_POSTURE_KEY'
/** A key of fewer characters could be guessed. */
export const LINK_KEY_MIN = 32

// Some hosts have no node:crypto; there no link can be checked at once, so none is believed.
function nodeCrypto(): typeof import('node:crypto') | undefined {
  return globalThis.process?.getBuiltinModule?.('node:crypto')
}

/** The path and query of a link that holds until a time in seconds since the epoch. */
export function reviewerLink(key: string, untilSeconds: number, asData = false): string {
  const path = asData ? REVIEWER_JSON_PATH : REVIEWER_PATH
  const crypto = nodeCrypto()
  if (crypto === undefined) throw new Error('links are signed with node:crypto, which this runtime lacks')
  return `${path}?until=${untilSeconds}&signature=${sign(crypto, key, untilSeconds)}`
}

/** True for a link that was made with the key and still holds. */
export function isReviewerLink(key: string | undefined, target: string, nowMs: number): boolean {
  const crypto = nodeCrypto()
  const match = /^[^?]+\?until=(\d{1,12})&signature=([A-Za-z0-9_-]{43})$/.exec(target)
  if (crypto === undefined || key === undefined || key.length < LINK_KEY_MIN || !match) return false
  const [, until = '', given = ''] = match
  if (Number(until) * 1_000 <= nowMs) return false
  return crypto.timingSafeEqual(Buffer.from(given), Buffer.from(sign(crypto, key, Number(until))))
}

function sign(crypto: typeof import('node:crypto'), key: string, until: number): string {
  return crypto
    .createHmac('sha256', key)
    .update(`sallyport posture\n${REVIEWER_PATH}\n${until}`)
    .digest('base64url')
}
