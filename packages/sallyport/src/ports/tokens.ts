// What `access` asks where the program itself knows the tokens that it gave out: opaque texts, kept by digest.

import type { Principal } from '../guard/principal.ts'

/** What is said of a shown token. `unavailable`: nobody can say now; the request must not pass. */
export type TokenAnswer = { readonly principal: Principal } | 'unknown' | 'unavailable'

/** Says whose a token is. The token is a secret: look it up by its digest, and keep it nowhere. */
export interface TokenSource {
  /** At once where it is known; else after one look-up. A rejection counts as `unavailable`. */
  find(token: string): TokenAnswer | Promise<TokenAnswer>
}
