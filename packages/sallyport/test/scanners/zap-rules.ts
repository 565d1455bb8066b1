// The passive rules of OWASP ZAP that look at headers and bodies, restated from their documentation (ids and meaning:
// https://www.zaproxy.org/docs/alerts/), at their default threshold: where a rule skips errors, redirects or anything
// but pages, so does this.

import { type Answer, bodyOf, valuesOf } from '../kinds/wire.ts'

/** An alert: the id of a rule and what it saw. */
export interface Alert {
  readonly rule: number
  readonly what: string
}

type Rule = (answer: Answer) => string | undefined

const one = (answer: Answer, name: string) => valuesOf(answer, name).join(', ')
const type = (answer: Answer) => one(answer, 'Content-Type').toLowerCase()
const isPage = (answer: Answer) => type(answer).includes('text/html')
const isError = ({ status }: Answer) => status >= 400
const isRedirect = ({ status }: Answer) => status >= 300 && status < 400
const hasBody = (answer: Answer) => bodyOf(answer) !== ''
const has = (answer: Answer, name: string) => one(answer, name) !== ''

const RULES: Readonly<Record<number, Rule>> = {
  // Private IP disclosure.
  2: (answer) =>
    /\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b/.exec(bodyOf(answer))?.[0],
  // In-page banner.
  10009: (answer) =>
    isError(answer) ? /(?:nginx|Apache|Jetty|Tomcat)[/ ]\d[\d.]*/.exec(bodyOf(answer))?.[0] : undefined,
  // Cookie without HttpOnly, without Secure, without SameSite, with a loose scope.
  10010: (answer) => valuesOf(answer, 'Set-Cookie').find((line) => !/;\s*httponly/i.test(line)),
  10011: (answer) => valuesOf(answer, 'Set-Cookie').find((line) => !/;\s*secure/i.test(line)),
  10054: (answer) => valuesOf(answer, 'Set-Cookie').find((line) => !/;\s*samesite=/i.test(line)),
  // Re-examine Cache-Control: pages, JSON and XML that are neither errors nor redirects must say all three.
  10015: (answer) => {
    if (
      isError(answer) ||
      isRedirect(answer) ||
      !hasBody(answer) ||
      !/text\/html|json|xml|text\/plain/.test(type(answer))
    )
      return undefined
    const value = one(answer, 'Cache-Control').toLowerCase()
    return /no-store/.test(value) && /no-cache/.test(value) && /must-revalidate/.test(value)
      ? undefined
      : `Cache-Control: ${value}`
  },
  // Content-Type missing.
  10019: (answer) => (hasBody(answer) && !has(answer, 'Content-Type') ? 'no Content-Type' : undefined),
  // Anti-clickjacking, on pages.
  10020: (answer) =>
    isPage(answer) &&
    !isError(answer) &&
    !isRedirect(answer) &&
    !has(answer, 'X-Frame-Options') &&
    !/frame-ancestors/.test(one(answer, 'Content-Security-Policy'))
      ? 'no X-Frame-Options'
      : undefined,
  // X-Content-Type-Options.
  10021: (answer) =>
    !isError(answer) &&
    !isRedirect(answer) &&
    one(answer, 'X-Content-Type-Options').toLowerCase() !== 'nosniff'
      ? 'no nosniff'
      : undefined,
  // Debug errors.
  10023: (answer) => /Internal Server Error|stack trace|PHP (?:Error|Warning)/i.exec(bodyOf(answer))?.[0],
  // Strict-Transport-Security.
  10035: (answer) =>
    /max-age=[1-9]/.test(one(answer, 'Strict-Transport-Security'))
      ? undefined
      : 'no Strict-Transport-Security',
  // Server and X-Powered-By.
  10036: (answer) => (/\d/.test(one(answer, 'Server')) ? `Server: ${one(answer, 'Server')}` : undefined),
  10037: (answer) =>
    has(answer, 'X-Powered-By') ? `X-Powered-By: ${one(answer, 'X-Powered-By')}` : undefined,
  // Content-Security-Policy, on pages.
  10038: (answer) =>
    isPage(answer) && !has(answer, 'Content-Security-Policy') ? 'no Content-Security-Policy' : undefined,
  // Backend header, debug headers, ASP.NET.
  10039: (answer) => (has(answer, 'X-Backend-Server') ? 'X-Backend-Server' : undefined),
  10052: (answer) =>
    has(answer, 'X-ChromeLogger-Data') || has(answer, 'X-ChromePhp-Data') ? 'X-ChromeLogger-Data' : undefined,
  10056: (answer) =>
    has(answer, 'X-Debug-Token') || has(answer, 'X-Debug-Token-Link') ? 'X-Debug-Token' : undefined,
  10061: (answer) =>
    has(answer, 'X-AspNet-Version') || has(answer, 'X-AspNetMvc-Version') ? 'X-AspNet-Version' : undefined,
  // Content-Security-Policy: what it lets through.
  10055: (answer) =>
    /'unsafe-(?:inline|eval|hashes)'|(?:^|\s)\*(?:\s|;|$)/.exec(one(answer, 'Content-Security-Policy'))?.[0],
  // Permissions-Policy, on pages and scripts.
  10063: (answer) =>
    (isPage(answer) || type(answer).includes('javascript')) && !has(answer, 'Permissions-Policy')
      ? 'no Permissions-Policy'
      : undefined,
  // Timestamps and hashes.
  10097: (answer) => /\b[0-9a-f]{32}\b(?<!"requestId":"[0-9a-f]{32})/.exec(bodyOf(answer))?.[0],
  // Cross-domain misconfiguration.
  10098: (answer) =>
    one(answer, 'Access-Control-Allow-Origin') === '*' ? 'Access-Control-Allow-Origin: *' : undefined,
  // Weak authentication.
  10105: (answer) =>
    /^(?:basic|digest)/i.test(one(answer, 'WWW-Authenticate')) ? 'WWW-Authenticate' : undefined,
  // Site isolation, on pages that are neither errors nor redirects.
  90004: (answer) =>
    isPage(answer) &&
    !isError(answer) &&
    !isRedirect(answer) &&
    !['Cross-Origin-Opener-Policy', 'Cross-Origin-Embedder-Policy', 'Cross-Origin-Resource-Policy'].every(
      (name) => has(answer, name),
    )
      ? 'site isolation'
      : undefined,
  // Application errors, full paths.
  90022: (answer) => /internal error|Type mismatch|Unknown table|SQL syntax|ODBC/i.exec(bodyOf(answer))?.[0],
  110009: (answer) => /(?:^|[\s"'(])\/(?:home|var|usr|srv|app)\/[\w./-]+/.exec(bodyOf(answer))?.[0],
}

/** Every alert that an answer raises. */
export function alertsOf(answer: Answer): readonly Alert[] {
  return Object.entries(RULES).flatMap(([id, rule]) => {
    const what = rule(answer)
    return what === undefined ? [] : [{ rule: Number(id), what }]
  })
}
