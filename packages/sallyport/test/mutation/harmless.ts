// Changes that mean nothing: what a proxy, a CDN or another server may do to an answer that keeps the policy. Whoever
// takes one for a fault raises a false alarm.

import type { Broken, Line, Passing } from './mutation.ts'
import { beside } from './mutation.ts'

type Harmless = (passing: Passing) => Broken | undefined

const lines =
  (change: (lines: readonly Line[]) => readonly Line[]): Harmless =>
  (passing) => ({ lines: change(passing.lines) })

const value = (name: string, change: (value: string) => string): Harmless =>
  lines((all) => all.map(([key, old]) => [key, key.toLowerCase() === name ? change(old) : old] as const))

const reversed = (separator: RegExp, joined: string) => (text: string) =>
  text.split(separator).filter(Boolean).reverse().join(joined)

/** By name. */
export const harmless: Readonly<Record<string, Harmless>> = {
  'names in small letters': lines((all) => all.map(([name, each]) => [name.toLowerCase(), each] as const)),
  'names in capitals': lines((all) => all.map(([name, each]) => [name.toUpperCase(), each] as const)),
  'lines in reverse order': lines((all) => [...all].reverse()),
  'spaces after values': lines((all) => all.map(([name, each]) => [name, `${each} `] as const)),
  'lines of a CDN': lines((all) =>
    beside(beside(beside(all, 'X-Cache', 'MISS'), 'Alt-Svc', 'h3=":443"; ma=86400'), 'CF-RAY', '8f2a-FRA'),
  ),
  'HSTS in another spelling': value('strict-transport-security', (text) =>
    text.toUpperCase().replaceAll('; ', ';'),
  ),
  'CSP in another order': value('content-security-policy', reversed(/; */, ' ;  ')),
  'Cache-Control in another order': value('cache-control', reversed(/, */, ',')),
  'Permissions-Policy in another order': value('permissions-policy', reversed(/, */, ',')),
  'Vary in another order, with more': value(
    'vary',
    (text) => `${reversed(/, */, ',')(text)},accept-language`,
  ),
  'X-Frame-Options in small letters': value('x-frame-options', (text) => text.toLowerCase()),
  'nosniff in capitals': value('x-content-type-options', (text) => text.toUpperCase()),
  'allowed methods in another order': value('access-control-allow-methods', reversed(/, */, ', ')),
  'allowed headers in capitals': value('access-control-allow-headers', (text) => text.toUpperCase()),
}
