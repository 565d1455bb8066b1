// Tells a page of a CDN or firewall, put in the place of the answer, from the answer: grading it would grade somebody
// else's software.

import { headerValues } from '../../controls/faces.ts'
import type { Observation } from '../../guard/control.ts'

interface Mark {
  readonly vendor: string
  readonly header?: readonly [name: string, pattern: RegExp]
  readonly body?: RegExp
}

const MARKS: readonly Mark[] = [
  { vendor: 'Cloudflare', header: ['cf-mitigated', /./] },
  {
    vendor: 'Cloudflare',
    header: ['server', /^cloudflare$/i],
    body: /Attention Required!|Just a moment\.\.\.|cf-error-details|\/cdn-cgi\/challenge-platform/,
  },
  { vendor: 'AWS WAF', header: ['x-amzn-waf-action', /./] },
  {
    vendor: 'CloudFront',
    header: ['x-cache', /^Error from cloudfront/i],
    body: /Request blocked|The request could not be satisfied/,
  },
  {
    vendor: 'Akamai',
    header: ['server', /^AkamaiGHost/i],
    body: /Access Denied|Reference&#32;&#35;|errors\.edgesuite\.net/,
  },
  { vendor: 'Imperva', body: /_Incapsula_Resource|Incapsula incident ID/ },
  { vendor: 'Sucuri', header: ['x-sucuri-block', /./] },
  { vendor: 'Sucuri', body: /Sucuri WebSite Firewall - Access Denied/ },
  { vendor: 'DataDome', header: ['x-datadome', /protected|block/i] },
  { vendor: 'Vercel', header: ['x-vercel-mitigated', /./] },
  { vendor: 'Azure Front Door', header: ['x-azure-ref', /./], body: /The request is blocked\./ },
  { vendor: 'F5', body: /The requested URL was rejected\. Please consult with your administrator/ },
]

const STATUSES = new Set([403, 405, 406, 429, 503])
const BODY_LOOKED_AT = 65_536

/** Whose block page it is; `undefined` where it is none that is known. */
export function blockedBy(seen: Observation): string | undefined {
  if (!STATUSES.has(seen.status)) return undefined
  const body = seen.body.slice(0, BODY_LOOKED_AT)
  return MARKS.find(
    ({ header, body: pattern }) =>
      (header === undefined || headerValues(seen, header[0]).some((value) => header[1].test(value))) &&
      (pattern === undefined || pattern.test(body)),
  )?.vendor
}
