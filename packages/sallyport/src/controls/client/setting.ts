// `client`: which proxies are believed, by which header, and what a request is called.

import { MODES } from '../../guard/control.ts'
import { isHeaderName } from '../../guard/lines.ts'
import { type Cidr, type CidrSet, cidrSet, formatCidr, networkOf, parseCidr } from '../../policy/cidr.ts'
import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { either, flag, type Infer, list, not, object, oneOf, problem, text } from '../../policy/schema.ts'
import type { ForwardedBy } from './proxied.ts'

const requestIdSchema = object(
  {
    header: text(
      {
        max: 64,
        pattern: /^[A-Za-z0-9-]*[Ii][Dd]$/,
        expected: 'the name of a header that ends in "Id"',
        mend: 'write "X-Request-Id"',
      },
      'The header that carries the id; X-Request-Id where nothing is said.',
    ),
    accept: oneOf(
      ['trusted-proxies', 'never'],
      'Whose id is taken over: that of a declared proxy, where it has 8 to 128 characters of A-Z a-z 0-9 . _ -, or nobody’s.',
    ),
  },
  'A request id on every answer: 128 random bits in hexadecimal.',
)

export type RequestIdSetting = Infer<typeof requestIdSchema>

export const clientSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    trustedProxies: list(
      text(
        { max: 64, expected: 'an address range', mend: 'write a range such as "10.0.0.0/8"' },
        'A range in CIDR notation, an address, "loopback" (127.0.0.0/8, ::1) or "private" (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7).',
      ),
      'The proxies whose word on the caller is believed; nobody’s where the list is empty.',
    ),
    forwarded: either(
      [
        oneOf(
          ['x-forwarded-for', 'forwarded', 'none'],
          'The list that every proxy appends to: X-Forwarded-For (with X-Forwarded-Proto) or Forwarded (RFC 7239).',
        ),
        object(
          {
            header: text(
              { max: 64, expected: 'the name of a header', mend: 'write { header: "cf-connecting-ip" }' },
              'The header.',
            ),
          },
          'A header of one address that the edge overwrites.',
        ),
      ],
      'The header by which the declared proxies name the caller; x-forwarded-for where proxies are declared and nothing is said.',
    ),
    forwardedHost: flag(
      'Also take the host from X-Forwarded-Host or Forwarded. Only for proxies that overwrite it: many pass a caller’s own on.',
    ),
    requestId: either([not('No request id.'), requestIdSchema], 'A request id on every answer.'),
    traceContext: flag(
      'A W3C trace context for the application or the upstream: that of a declared proxy continued, else a new one.',
    ),
  },
  'Who calls, behind declared proxies only, and what the request is called.',
)

export type ClientSetting = Infer<typeof clientSchema>

export const clientDefaults: ClientSetting = {
  trustedProxies: [],
  forwardedHost: false,
  requestId: false,
  traceContext: false,
}

const WORDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** The ranges of an entry, words included; none where it can't be read. */
export function rangesOf(entry: string): readonly Cidr[] {
  const ranges = Object.hasOwn(WORDS, entry) ? WORDS[entry]! : [entry]
  return ranges.flatMap((range) => parseCidr(range) ?? [])
}

/** The declared proxies, compiled. */
export function trustedSet(setting: ClientSetting): CidrSet {
  return cidrSet((setting.trustedProxies ?? []).flatMap(rangesOf))
}

/** By which header callers are found; none without declared proxies. */
export function forwardedBy(setting: ClientSetting): ForwardedBy {
  if ((setting.trustedProxies ?? []).length === 0) return { kind: 'none' }
  const { forwarded = 'x-forwarded-for' } = setting
  if (typeof forwarded === 'string') return { kind: forwarded }
  return { kind: 'single', header: (forwarded.header ?? '').toLowerCase() }
}

/** The name of the request id's header. */
export function requestIdHeader(setting: RequestIdSetting): string {
  return setting.header ?? 'X-Request-Id'
}

// The largest ranges that one owner holds; a wider one is a mistake in the length of the prefix.
const WIDEST = { 4: 8, 6: 16 } as const

export function clientContradictions(setting: ClientSetting): readonly PolicyProblem[] {
  const problems = (setting.trustedProxies ?? []).flatMap((entry, index) =>
    proxyProblem(entry, childPath('trustedProxies', index)),
  )
  const { forwarded } = setting
  if (forwarded !== undefined && forwarded !== 'none' && (setting.trustedProxies ?? []).length === 0)
    problems.push(
      problem(
        'forwarded',
        'contradiction',
        'no proxy is declared, so no forwarding header is believed',
        forwarded,
        'add trustedProxies, or leave forwarded out',
      ),
    )
  if (setting.forwardedHost && forwardedBy(setting).kind === 'none')
    problems.push(
      problem(
        'forwardedHost',
        'contradiction',
        'no forwarding header is believed, so no host is taken from one',
        true,
        'add trustedProxies and forwarded, or leave forwardedHost out',
      ),
    )
  if (typeof forwarded === 'object') problems.push(...singleHeaderProblem(forwarded.header))
  return problems
}

/** What is wrong with an entry of a list of proxies; nothing where it can be believed. */
export function proxyProblem(entry: string, path: string): readonly PolicyProblem[] {
  if (Object.hasOwn(WORDS, entry)) return []
  const range = parseCidr(entry)
  const mend = 'write an address, a range such as "10.0.0.0/8", "loopback" or "private"'
  if (!range) {
    const message = entry.includes('%') ? 'a zone has no place in a range' : 'is not an address range'
    return [problem(path, 'value', message, entry, mend)]
  }
  const { version } = range.address
  if (range.prefix < WIDEST[version])
    return [
      problem(
        path,
        'insecure',
        range.prefix === 0
          ? 'trusts every address: any caller could choose the address it is known by'
          : `is wider than /${WIDEST[version]}, so strangers in it could choose the address they are known by`,
        entry,
        'list the ranges of your own proxies or of your edge network',
      ),
    ]
  const network = formatCidr(networkOf(range))
  if (network !== formatCidr(range))
    return [problem(path, 'value', 'has bits set behind its prefix', entry, `write "${network}"`)]
  if (version === 4 && entry.includes(':'))
    return [problem(path, 'value', 'is an IPv4 range in IPv6 form', entry, `write "${network}"`)]
  return []
}

const LISTS: Readonly<Record<string, string>> = {
  'x-forwarded-for': 'is a list that every proxy appends to; write forwarded: "x-forwarded-for"',
  forwarded: 'is a list that every proxy appends to; write forwarded: "forwarded"',
  'cloudfront-viewer-address':
    'writes IPv6 addresses with a port but without brackets, which can be read in two ways; write forwarded: "x-forwarded-for"',
}

function singleHeaderProblem(header: string | undefined): readonly PolicyProblem[] {
  const path = 'forwarded.header'
  if (header === undefined)
    return [problem('forwarded', 'missing', 'header is missing', {}, 'write { header: "cf-connecting-ip" }')]
  if (!isHeaderName(header))
    return [problem(path, 'value', 'is not a header name', header, 'write { header: "cf-connecting-ip" }')]
  const fault = Object.hasOwn(LISTS, header.toLowerCase()) ? LISTS[header.toLowerCase()] : undefined
  if (fault === undefined) return []
  const [message, mend] = fault.split('; ') as [string, string]
  return [problem(path, 'contradiction', message, header, mend)]
}
