// What `access` asks for the session of a browser: accounts of our own, or whatever an application signs people in with.

import type { Principal } from '../guard/principal.ts'

/** What is said of the session cookie. `unavailable`: nobody can say now; the request must not pass. */
export type SessionAnswer = { readonly principal: Principal } | 'unknown' | 'unavailable'

/**
 * Says who is signed in. A session is not delegated: where its principal names a role of the policy's catalogue and no
 * scopes, it has those of the role.
 */
export interface SessionSource {
  /**
   * Reads the whole Cookie header, in which the cookie that the policy names stands once. At once where the session is
   * known; a rejection counts as `unavailable`.
   */
  find(cookieHeader: string): SessionAnswer | Promise<SessionAnswer>
}
