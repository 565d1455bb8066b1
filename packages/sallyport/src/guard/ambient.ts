// Credentials that a browser sends by itself, whichever page asks: cookies are named by their header, the others by
// their scheme.

/** True for a value of Authorization that a browser may have added from its own memory (RFC 7617, RFC 7616, RFC 4559). */
export function isAmbientScheme(authorization: string): boolean {
  return /^[ \t]*(?:basic|digest|ntlm|negotiate)(?:[ \t]|$)/i.test(authorization)
}
