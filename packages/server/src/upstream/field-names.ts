// Which header fields never pass the gateway, in either direction. Framing and the client's identity are written by
// us; what claims either from outside is dropped.

// RFC 9110, section 7.6.1, with the names that older programs treat the same way.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

// Names by which programs behind a proxy learn who calls, from where, or for which path: a caller must not say so.
const IDENTITY: ReadonlySet<string> = new Set([
  'forwarded',
  'proxy',
  'client-ip',
  'true-client-ip',
  'fastly-client-ip',
  'front-end-https',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-real-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-remote-user',
  'x-originating-ip',
  'x-host',
  'x-original-host',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-url-scheme',
  'x-scheme',
  'x-ssl',
  'remote-user',
  'remote-addr',
  'ssl-client-cert',
])

const IDENTITY_FAMILIES = [
  'proxy-',
  'x-forwarded-',
  'x-sallyport-',
  'x-accel-',
  'x-envoy-',
  'x-middleware-',
  'x-amzn-oidc-',
  'x-appengine-',
  'x-auth-request-',
  'x-azure-',
  'x-client-cert',
  'x-ssl-',
  'cf-connecting-',
] as const

// Instructions of an upstream to the server in front of it, and what says which programs run here.
const INTERNAL_ANSWER: ReadonlySet<string> = new Set([
  'server',
  'via',
  'alt-svc',
  'x-sendfile',
  'x-lighttpd-send-file',
  'x-powered-by',
  'x-aspnet-version',
  'x-aspnetmvc-version',
  'x-runtime',
])

const INTERNAL_ANSWER_FAMILIES = ['proxy-', 'x-accel-', 'x-sallyport-', 'x-envoy-', 'x-middleware-'] as const

/** A name's fate depends on the name alone, so it is worked out once for each spelling. */
export type NameFate = 'pass' | 'drop'

/** Says whether a request's field may go to the upstream. */
export const requestFate: (name: string) => NameFate = remember((name) => {
  // "X_Forwarded_For" reads as "X-Forwarded-For" to CGI and WSGI programs (CVE-2025-64484 and its like).
  if (name.includes('_')) return 'drop'
  if (HOP_BY_HOP.has(name) || IDENTITY.has(name)) return 'drop'
  if (IDENTITY_FAMILIES.some((family) => name.startsWith(family))) return 'drop'
  // Written by us, or answered by us.
  return name === 'host' || name === 'content-length' || name === 'expect' ? 'drop' : 'pass'
})

/** Says whether a field of an upstream's answer may go to the client. */
export const answerFate: (name: string) => NameFate = remember((name) => {
  if (HOP_BY_HOP.has(name) || INTERNAL_ANSWER.has(name)) return 'drop'
  if (INTERNAL_ANSWER_FAMILIES.some((family) => name.startsWith(family))) return 'drop'
  return name === 'content-length' ? 'drop' : 'pass'
})

// Real traffic has few spellings; the memory is bounded all the same, since callers choose the names.
const SPELLINGS = 1024

function remember(judge: (lowerName: string) => NameFate): (name: string) => NameFate {
  const known = new Map<string, NameFate>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const fate = judge(name.toLowerCase())
    if (known.size < SPELLINGS && name.length <= 64) known.set(name, fate)
    return fate
  }
}
