// One answer through every judge.

import { parseSecurityTxt, valuesOf } from '../../controls/disclosure/security-txt.ts'
import { headerValues } from '../../controls/faces.ts'
import { methodOf } from '../wire/request.ts'
import type { WireAnswer } from '../wire/send.ts'
import { type Context, type Graded, line, type Weighed } from './context.ts'
import { judgeCookies } from './judge-cookies.ts'
import { judgePreflight, judgeVariant } from './judge-cors.ts'
import { judgeCsp, judgeFraming } from './judge-csp.ts'
import { judgeBanners, judgeCaching, judgeDocumentHeaders, judgeHsts, judgeType } from './judge-headers.ts'
import { leaksIn } from './leaks.ts'
import type { GradeRequest } from './requests.ts'

/** What an answer shows, by what was asked and what it is. */
export function judgeAnswer(
  asked: GradeRequest,
  answer: WireAnswer,
  context: Context,
  host: string,
  now: number,
): readonly Weighed[] {
  if (asked.name === 'security.txt') return judgeSecurityTxt(answer, now)
  const method = methodOf(asked.request)
  const path = 'raw' in asked.request ? '' : asked.request.path
  const graded: Graded = { answer, context, authenticated: asked.authenticated, method, path }
  return [
    ...judgeHsts(graded, host),
    ...judgeType(graded),
    ...judgeCsp(graded),
    ...judgeFraming(graded),
    ...judgeDocumentHeaders(graded),
    ...judgeCaching(graded),
    ...judgeCookies(answer),
    ...judgeBanners(graded),
    ...judgeBody(graded),
    ...judgeRedirect(graded),
    ...(asked.variant ? judgeVariant(answer, asked.variant) : []),
    ...(context === 'preflight' ? judgePreflight(answer) : []),
    ...(method === 'TRACE' && /x-sallyport: echo/i.test(answer.body)
      ? [{ id: 'method.trace', detail: 'TRACE repeats the request', mend: 'refuse TRACE with 405' }]
      : []),
    ...(answer.status === 401 && headerValues(answer, 'www-authenticate').length === 0
      ? [{ id: 'auth.no-challenge', detail: '401 without a challenge', mend: 'WWW-Authenticate: Bearer' }]
      : []),
    ...(!answer.encrypted && /^basic/i.test(line(answer, 'www-authenticate') ?? '')
      ? [
          {
            id: 'auth.basic-cleartext',
            detail: 'a password is asked for in clear',
            mend: 'ask over HTTPS only',
          },
        ]
      : []),
    ...((answer.status === 429 || answer.status === 503) && headerValues(answer, 'retry-after').length === 0
      ? [
          {
            id: 'ratelimit.no-retry-after',
            detail: `${answer.status} without Retry-After`,
            mend: 'Retry-After: 30',
          },
        ]
      : []),
    ...answer.faults.map((fault) => ({
      id: 'answer.malformed',
      detail: fault,
      mend: 'send lines of the form name: value',
    })),
  ]
}

// What an error tells; a page or data may hold anything by right.
function judgeBody({ answer }: Graded): readonly Weighed[] {
  if (answer.status < 400)
    return leaksIn(answer.body)
      .filter(({ kind }) => kind === 'stack' || kind === 'debug-page')
      .map(leaked)
  return leaksIn(answer.body).map(leaked)
}

function leaked({ what, sample, kind }: ReturnType<typeof leaksIn>[number]): Weighed {
  const mend = 'answer errors with a problem document and nothing else'
  return kind === 'version'
    ? { id: 'leak.server-version', detail: `the body holds ${what}: ${sample}`, mend, severity: 'low' }
    : { id: 'leak.error-detail', detail: `the body holds ${what}: ${sample}`, mend }
}

function judgeRedirect({ answer, path }: Graded): readonly Weighed[] {
  const location = line(answer, 'location')
  if (location === undefined || answer.status < 300 || answer.status >= 400) return []
  const found: Weighed[] = []
  if (answer.encrypted && /^http:\/\//i.test(location))
    found.push({ id: 'redirect.downgrade', detail: location, mend: 'Location: https://…' })
  if (path.includes('sallyport-probe.invalid') && /^(?:https?:)?\/\/sallyport-probe\.invalid/i.test(location))
    found.push({ id: 'redirect.open', detail: location, mend: 'redirect to paths of this host only' })
  if (/[?&](?:access_token|token|api_?key|secret|password)=[^&]{8,}/i.test(location))
    found.push({
      id: 'redirect.secret-in-url',
      detail: 'a secret in the query of a Location',
      mend: 'hand secrets on in a body or a cookie',
    })
  return found
}

function judgeSecurityTxt(answer: WireAnswer, now: number): readonly Weighed[] {
  if (answer.status !== 200)
    return [
      {
        id: 'securitytxt.missing',
        detail: `status ${answer.status}`,
        mend: 'serve /.well-known/security.txt',
      },
    ]
  const file = parseSecurityTxt(answer.body)
  const found: Weighed[] = []
  if (valuesOf(file, 'Contact').length === 0)
    found.push({
      id: 'securitytxt.no-contact',
      detail: 'no Contact line',
      mend: 'Contact: mailto:security@example.com',
    })
  const [expires] = valuesOf(file, 'Expires')
  if (expires === undefined)
    found.push({
      id: 'securitytxt.no-expires',
      detail: 'no Expires line',
      mend: 'Expires: a date within a year',
    })
  else if (Date.parse(expires) <= now)
    found.push({ id: 'securitytxt.expired', detail: expires, mend: 'Expires: a date within a year' })
  return found
}
