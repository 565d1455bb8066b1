// Which header fields never pass the gateway, in either direction. Framing and the client's identity are written by
// us; what claims either from outside is dropped.

// The shortest family has as many characters.
const START = 3

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
  'forwarded-for',
  'proxy',
  'client-ip',
  'true-client-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'http-client-ip',
  'wl-proxy-client-ip',
  'front-end-https',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-nf-client-connection-ip',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-originating-ip',
  'x-forward-for',
  'x-forwarded',
  'x-original-forwarded-for',
  'x-host',
  'x-backend-host',
  'x-http-host-override',
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
  'x-arr-clientcert',
  // RFC 9440, section 2: written by whoever ends TLS, and by nobody before it.
  'client-cert',
  'client-cert-chain',
])

// Each is a start of names; what only begins alike ("remote", "client-version", "cfx") is the application's own.
const IDENTITY_FAMILIES = byStart([
  'cf-',
  'proxy-',
  'remote-',
  // What the gateway itself says of a caller (access.identity).
  'sallyport-',
  'ssl-client-',
  'tailscale-',
  'x-accel-',
  'x-amzn-oidc-',
  'x-appengine-',
  'x-auth-request-',
  'x-authenticated-',
  'x-authentik-',
  'x-azure-',
  'x-client-cert',
  'x-consumer-',
  'x-envoy-',
  'x-forwarded-',
  'x-goog-authenticated-',
  'x-goog-iap-',
  'x-middleware-',
  'x-ms-client-',
  'x-pomerium-',
  'x-remote-',
  'x-sallyport-',
  'x-ssl-',
  'x-tls-client-',
  'x-vercel-',
  'x-webauth-',
])

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

const INTERNAL_ANSWER_FAMILIES = byStart([
  'proxy-',
  // An upstream that echoes its request must not hand the identity to the caller.
  'sallyport-',
  'x-accel-',
  'x-sallyport-',
  'x-envoy-',
  'x-middleware-',
])

/**
 * What becomes of a request's field, by its name alone. Where the facts of the request decide, the fate is the name
 * itself, so that one look-up answers for both.
 */
export type RequestFate = 'pass' | 'drop' | 'cookie' | 'traceparent' | 'tracestate' | 'x-request-id'

/** What becomes of an answer's field; of those that frame the answer, the name itself. */
export type AnswerFate =
  | 'pass'
  | 'drop'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'content-type'

/** Says whether a request's field may go to the upstream. */
export const requestFate: (name: string) => RequestFate = remember((name) => {
  // "X_Forwarded_For" reads as "X-Forwarded-For" to CGI and WSGI programs (CVE-2025-64484 and its like).
  if (name.includes('_')) return 'drop'
  if (HOP_BY_HOP.has(name) || IDENTITY.has(name)) return 'drop'
  if (isOfFamily(IDENTITY_FAMILIES, name)) return 'drop'
  switch (name) {
    // Written by us, or answered by us.
    case 'host':
    case 'content-length':
    case 'expect':
      return 'drop'
    case 'cookie':
    case 'traceparent':
    case 'tracestate':
    case 'x-request-id':
      return name
  }
  return 'pass'
})

// RFC 9110, section 5.6.2. Node would throw on any other name.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Says whether a field of an upstream's answer may go to the client. */
export const answerFate: (name: string) => AnswerFate = remember((name) => {
  if (!TOKEN.test(name)) return 'drop'
  switch (name) {
    case 'content-length':
    case 'transfer-encoding':
    case 'connection':
    case 'content-type':
      return name
  }
  if (HOP_BY_HOP.has(name) || INTERNAL_ANSWER.has(name)) return 'drop'
  return isOfFamily(INTERNAL_ANSWER_FAMILIES, name) ? 'drop' : 'pass'
})

type Families = ReadonlyMap<string, readonly string[]>

// A caller with ever new names gets past the memory below, so a name is compared with the few families that share its
// first three characters, not with all of them.
function byStart(families: readonly string[]): Families {
  return Map.groupBy(families, (family) => family.slice(0, START))
}

function isOfFamily(families: Families, name: string): boolean {
  return families.get(name.slice(0, START))?.some((family) => name.startsWith(family)) ?? false
}

// Real traffic has few spellings; the memory is bounded all the same, since callers choose the names.
const SPELLINGS = 1024

// A name's fate depends on the name alone, so it is worked out once for each spelling.
function remember<Fate extends string>(judge: (lowerName: string) => Fate): (name: string) => Fate {
  const known = new Map<string, Fate>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const fate = judge(name.toLowerCase())
    if (known.size < SPELLINGS && name.length <= 64) known.set(name, fate)
    return fate
  }
}
