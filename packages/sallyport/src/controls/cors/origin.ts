// The origins that a policy lists: `https://app.example.com`, `https://*.example.com`. An entry is taken only in the
// very form in which browsers send it (Fetch standard, "byte-serializing a request origin"), so that deciding is
// comparing strings.

import { isPublicSuffix, publicSuffixBelow, publicSuffixes } from '../../policy/public-suffix.ts'

/** One entry of the list. */
export interface ListedOrigin {
  /** As written. */
  readonly text: string
  readonly scheme: 'https' | 'http'
  /** For a pattern, what stands after `*.`. */
  readonly host: string
  /** Digits; empty for the scheme's own port. */
  readonly port: string
  /** True for `https://*.…`, which covers subdomains of every depth, and not the host itself. */
  readonly isPattern: boolean
}

/** Why an entry is refused. */
export interface OriginFault {
  readonly kind: 'value' | 'insecure' | 'missing'
  readonly message: string
  readonly mend: string
}

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`)

/** Reads one entry; total over all texts. */
export function parseOrigin(text: string): ListedOrigin | OriginFault {
  if (text === '*')
    return {
      kind: 'insecure',
      message: '"*" would let every page of the web act with the cookies of its visitor',
      mend: 'list the origins that may; for calls without cookies from anywhere write bearer: "any-origin"',
    }
  if (text.toLowerCase() === 'null')
    return {
      kind: 'insecure',
      message: '"null" is the origin of sandboxed frames and local files, whoever made them',
      mend: 'remove it, and serve the page from an https: origin of its own',
    }
  const separator = text.indexOf('://')
  if (separator < 0)
    return fault('an origin is a scheme, "://" and a host', 'write it as "https://app.example.com"')
  const scheme = text.slice(0, separator)
  if (scheme !== 'https' && scheme !== 'http')
    return fault(
      `the scheme must be https, and is ${JSON.stringify(scheme.slice(0, 40))}`,
      'write it as "https://app.example.com"',
    )
  const authority = text.slice(separator + 3)
  const shape = shapeFault(scheme, authority)
  if (shape) return shape
  return parseAuthority(text, scheme, authority)
}

/** True where `parseOrigin` found a fault. */
export function isOriginFault(result: ListedOrigin | OriginFault): result is OriginFault {
  return 'mend' in result
}

/** True for the names and addresses of the machine itself (RFC 6761, section 6.3). */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '[::1]'
}

function fault(message: string, mend: string, kind: OriginFault['kind'] = 'value'): OriginFault {
  return { kind, message, mend }
}

// What is not scheme, host and port at all.
function shapeFault(scheme: string, authority: string): OriginFault | undefined {
  const end = authority.search(/[/?#\\]/)
  if (end === authority.length - 1 && authority.endsWith('/'))
    return fault(
      'an origin does not end with a slash; browsers never send one',
      `write "${scheme}://${authority.slice(0, -1)}"`,
    )
  if (end >= 0)
    return fault('an origin has no path, query or fragment', `write "${scheme}://${authority.slice(0, end)}"`)
  if (authority.includes('@'))
    return fault(
      'an origin has no user name or password',
      `write "${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}"`,
    )
  return undefined
}

function parseAuthority(
  text: string,
  scheme: 'https' | 'http',
  authority: string,
): ListedOrigin | OriginFault {
  const isPattern = authority.startsWith('*.')
  const rest = isPattern ? authority.slice(2) : authority
  if (rest.includes('*'))
    return fault(
      '"*" may only stand as the whole left-most label of the host',
      `write "${scheme}://*.example.com" for every subdomain`,
    )
  // The URL parser is the browsers' own: what it makes of an entry is what browsers would send.
  const sent = serialised(`${scheme}://${rest}`)
  if (sent === undefined) return fault('this is no host that a browser could open', MEND_HOST)
  if (sent !== `${scheme}://${rest}`) {
    const mended = isPattern ? sent.replace('://', '://*.') : sent
    return fault(whyOther(rest), `write "${mended}"`)
  }
  const colon = rest.startsWith('[') ? rest.indexOf(':', rest.indexOf(']')) : rest.indexOf(':')
  const host = colon < 0 ? rest : rest.slice(0, colon)
  const port = colon < 0 ? '' : rest.slice(colon + 1)
  if (host.endsWith('.'))
    return fault(
      'a host with a trailing dot is another origin than the one without',
      `write "${text.replace(/\.(?=:\d+$|$)/, '')}"`,
    )
  if (!(host.startsWith('[') || HOST.test(host)) || host.length > 253)
    return fault('a host consists of letters, digits, "-" and "."', MEND_HOST)
  if (scheme === 'http' && !isLoopback(host))
    return fault(
      'whoever sits on the network can speak as an http: origin, and would act with the cookies of its visitors',
      `write "${text.replace('http:', 'https:')}"`,
      'insecure',
    )
  const listed: ListedOrigin = { text, scheme, host, port, isPattern }
  return isPattern ? (patternFault(host) ?? listed) : listed
}

const MEND_HOST = 'write it as "https://app.example.com", or with a port as "https://app.example.com:8443"'

function serialised(url: string): string | undefined {
  try {
    return new URL(url).origin
  } catch {
    return undefined
  }
}

function whyOther(rest: string): string {
  // Before all else: a browser sends such a host in another alphabet than the one it is read in.
  if (/[^\x20-\x7e]/.test(rest)) return 'browsers send the host in its ASCII form (punycode)'
  if (/:(?:443|80)$/.test(rest)) return "browsers leave the scheme's own port out"
  if (/[A-Z]/.test(rest)) return 'browsers send the host in small letters'
  return 'browsers send this origin in another form'
}

function patternFault(host: string): OriginFault | undefined {
  if (host.includes('_')) return fault('a pattern covers host names of letters, digits and "-"', MEND_HOST)
  if (/^\[|(?:^|\.)\d+$/.test(host))
    return fault('an address has no subdomains', 'list the addresses one by one')
  if (isLoopback(host)) return undefined
  if (publicSuffixes() === undefined)
    return fault(
      'a pattern is checked against the public suffix list, which is not loaded here',
      "import 'sallyport/public-suffixes' before the policy is compiled, or list the exact origins",
      'missing',
    )
  if (isPublicSuffix(host))
    return fault(
      `anybody can register a name below "${host}" (public suffix list)`,
      `name your own domain: "https://*.example.${host}"`,
      'insecure',
    )
  const below = publicSuffixBelow(host)
  return below === undefined
    ? undefined
    : fault(
        `the pattern also covers names below "${below}", which anybody can register (public suffix list)`,
        'list the exact origins',
        'insecure',
      )
}
