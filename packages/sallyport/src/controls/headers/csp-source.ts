// Source expressions of CSP that name places, and when one covers all that another does.
// What a browser matches differs a little (WebSockets, port 80 after an upgrade), so `covers` compares the most that
// the inner one may match with the least that the outer one must match. The protected page is taken as https.

/** A source expression that names places. */
export type Source =
  | { readonly kind: 'star' | 'self'; readonly text: string }
  | { readonly kind: 'scheme'; readonly text: string; readonly scheme: string }
  | {
      readonly kind: 'host'
      readonly text: string
      readonly scheme: string | undefined
      readonly host: string
      readonly port: string | undefined
      readonly path: string
    }

const SCHEME_SOURCE = /^([a-z][a-z0-9+.-]*):$/i
const HOST_SOURCE =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)(?::(\d{1,5}|\*))?(\/[^\s;,?#]*)?$/i

/**
 * Reads an expression; `undefined` for keywords, nonces, hashes and what no browser understands.
 *
 * @see CSP3, section 2.3.1
 */
export function parseSource(expression: string): Source | undefined {
  if (expression === '*') return { kind: 'star', text: '*' }
  if (expression.toLowerCase() === "'self'") return { kind: 'self', text: "'self'" }
  const scheme = SCHEME_SOURCE.exec(expression)?.[1]?.toLowerCase()
  if (scheme !== undefined) return { kind: 'scheme', text: `${scheme}:`, scheme }
  const match = HOST_SOURCE.exec(expression)
  if (!match) return undefined
  const [, hostScheme, host = '', port, path = ''] = match
  const head = expression.slice(0, expression.length - path.length).toLowerCase()
  return {
    kind: 'host',
    text: head + path,
    scheme: hostScheme?.toLowerCase(),
    host: host.toLowerCase(),
    port,
    path,
  }
}

/** Which loads a list is for: only `connect-src` meets WebSockets. */
export type LoadKind = 'connect' | 'other'

/** True where every URL that `inner` matches is matched by `outer`; a false "no" is possible, a false "yes" is not. */
export function covers(outer: Source, inner: Source, kind: LoadKind): boolean {
  if (outer.text === inner.text) return true
  if (outer.kind === 'self') return false
  if (inner.kind === 'self' && outer.kind === 'host') return false
  const least = reach(outer, 'least')
  const most = reach(inner, 'most').filter(({ scheme }) => kind === 'connect' || !scheme.startsWith('ws'))
  return (
    most.every((one) =>
      least.some(
        ({ scheme, port }) => scheme === one.scheme && (port === '*' || (port === one.port && port !== '')),
      ),
    ) &&
    hostCovers(hostOf(outer), hostOf(inner)) &&
    pathCovers(pathOf(outer), pathOf(inner))
  )
}

interface Reach {
  readonly scheme: string
  /** `*` is every port. */
  readonly port: string
}

const DEFAULT_PORT: Readonly<Record<string, string>> = { http: '80', ws: '80', https: '443', wss: '443' }

// CSP3, section 6.7.2.9: an insecure scheme also matches its secure forms.
function upgraded(scheme: string): readonly string[] {
  if (scheme === 'http') return ['http', 'https']
  if (scheme === 'ws') return ['ws', 'wss', 'http', 'https']
  return scheme === 'wss' ? ['wss', 'https'] : [scheme]
}

function reach(source: Source, bound: 'least' | 'most'): readonly Reach[] {
  switch (source.kind) {
    case 'star':
      return ['http', 'https', 'ws', 'wss'].map((scheme) => ({ scheme, port: '*' }))
    case 'self':
      return ['https', 'wss'].map((scheme) => ({ scheme, port: '*' }))
    case 'scheme':
      return upgraded(source.scheme).map((scheme) => ({ scheme, port: '*' }))
    case 'host': {
      const schemes =
        source.scheme !== undefined
          ? upgraded(source.scheme)
          : bound === 'least'
            ? ['https']
            : ['https', 'wss']
      return schemes.flatMap((scheme) =>
        portsOf(source.port, scheme, bound).map((port) => ({ scheme, port })),
      )
    }
  }
}

// CSP3, section 6.7.2.11. Browsers let an explicit port 80 also match 443 after an upgrade; the standard does not.
function portsOf(port: string | undefined, scheme: string, bound: 'least' | 'most'): readonly string[] {
  if (port === undefined) return [DEFAULT_PORT[scheme] ?? '']
  if (port === '*') return ['*']
  const number = String(Number(port))
  return number === '80' && DEFAULT_PORT[scheme] === '443' && bound === 'most' ? ['80', '443'] : [number]
}

// `undefined` is every host, also those that are no domain names, which "*" in a host-source leaves out.
function hostOf(source: Source): string | undefined {
  return source.kind === 'host' ? source.host : source.kind === 'self' ? "'self'" : undefined
}

// CSP3, section 6.7.2.10.
function hostCovers(outer: string | undefined, inner: string | undefined): boolean {
  if (outer === undefined) return true
  if (inner === undefined) return false
  if (outer === '*') return inner !== "'self'"
  if (!outer.startsWith('*.')) return outer === inner
  return inner.startsWith('*.') ? inner.slice(1).endsWith(outer.slice(1)) : inner.endsWith(outer.slice(1))
}

function pathOf(source: Source): string {
  return source.kind === 'host' ? source.path : ''
}

// CSP3, section 6.7.2.12: a path that ends with "/" matches all below it, any other itself only.
function pathCovers(outer: string, inner: string): boolean {
  if (outer === '' || outer === '/') return true
  if (inner === '') return false
  const outerPieces = outer.split('/')
  const innerPieces = inner.split('/')
  if (!outer.endsWith('/')) {
    if (outerPieces.length !== innerPieces.length) return false
  } else {
    outerPieces.pop()
    if (innerPieces.length <= outerPieces.length) return false
  }
  return outerPieces.every((piece, index) => decoded(piece) === decoded(innerPieces[index] ?? ''))
}

// Bytes, not characters: an escape that is no UTF-8 must still compare.
function decoded(piece: string): string {
  return piece.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
