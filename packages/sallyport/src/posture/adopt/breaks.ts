// What each step to `recommended` could break, told by what was seen of the API.

import { STRIPPED } from '../../controls/headers/stripped.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Answer, Observed } from './observed.ts'

const SHOWN = 4

function some(list: readonly string[]): string {
  const shown = [...new Set(list)]
  const more = shown.length > SHOWN ? ` and ${shown.length - SHOWN} more` : ''
  return shown.slice(0, SHOWN).join(', ') + more
}

function headerOf({ headers }: Answer, name: string): string | undefined {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1]
}

function ofType({ answers }: Observed, type: RegExp): readonly string[] {
  return answers
    .filter((each) => each.status < 400 && type.test(headerOf(each, 'content-type') ?? ''))
    .map(({ path }) => path.split('?', 1)[0]!)
}

const pagesIn = (observed: Observed) => ofType(observed, /^(?:text\/html|application\/xhtml)/i)

export function ofNothing(): readonly string[] {
  return ['Nothing that an API does.']
}

export function ofHsts(_observed: Observed, { transport }: PolicyDocument): readonly string[] {
  const now = transport?.hsts || undefined
  return [
    'Browsers refuse plain HTTP on this host for two years, once they have seen it.',
    ...(now?.includeSubDomains ? [] : ['And on every subdomain: see first that each has a certificate.']),
    ...(now?.preload
      ? []
      : [
          'preload: true asks for the browsers’ built-in list, which is slow to leave; leave it out until all is sure.',
        ]),
  ]
}

export function ofErrors({ answers }: Observed): readonly string[] {
  const replaced = answers.filter(
    (each) =>
      each.status >= 400 && !/^application\/problem\+json/i.test(headerOf(each, 'content-type') ?? ''),
  )
  return replaced.length === 0
    ? [
        'No error was seen that is no problem document; clients that read other error bodies get RFC 9457 ones.',
      ]
    : [
        `Clients that read these bodies get application/problem+json: ${some(replaced.map((each) => `${each.status} as ${(headerOf(each, 'content-type') ?? 'no type').split(';', 1)[0]}`))}.`,
      ]
}

export function ofRequest(): readonly string[] {
  return [
    'Paths with "//", dot segments or needless escapes, two Hosts, targets over 8 KB, heads over 16 KB or 100 lines are refused; TRACE and CONNECT always.',
    'Methods beside the usual eight must be listed: request: { methods: [\'PROPFIND\'] }. Try it first with mode: "report".',
  ]
}

export function ofCache({ answers }: Observed): readonly string[] {
  const kept = answers.filter((each) => {
    const value = headerOf(each, 'cache-control') ?? ''
    return (
      each.status < 400 && /max-age=[1-9]|public|immutable/i.test(value) && !/no-store|private/i.test(value)
    )
  })
  if (kept.length === 0)
    return ['No answer was seen that shared caches may keep; browsers keep none for the back button either.']
  const shown = (list: readonly Answer[]) =>
    some(list.map((each) => `${pathOf(each)} (${headerOf(each, 'cache-control')})`))
  const doubtful = kept.filter((each) => whyPrivate(each) !== undefined)
  const plain = kept.filter((each) => !doubtful.some((other) => pathOf(other) === pathOf(each)))
  const [first] = plain
  return [
    `These are kept by caches now: ${shown(kept)}.`,
    ...(first === undefined
      ? []
      : [
          `Of ${some(plain.map(pathOf))} declare only what is the same for everybody: routes: { '${pathOf(first)}': { data: 'public', credentials: 'none' } }.`,
          'Whatever is declared so, anybody can call without a credential, and any cache on the way can keep it and hand it to others.',
        ]),
    ...(doubtful.length === 0
      ? []
      : [
          `Do not declare these public: ${some(doubtful.map((each) => `${pathOf(each)} (${whyPrivate(each)})`))}. A shared cache could hand one caller’s answer to another, as it can now; this step ends that.`,
        ]),
  ]
}

function pathOf({ path }: Answer): string {
  return path.split('?', 1)[0]!
}

// Words of paths that name what is somebody's own.
const PERSONAL =
  /\/(?:me|self|accounts?|admin|users?|profiles?|billing|invoices?|orders?|payments?|customers?|carts?|sessions?|tokens?|keys?|settings|private|internal)(?:\/|$)/i

/** Why an answer looks like somebody's own; `undefined` where nothing speaks for it. */
function whyPrivate(answer: Answer): string | undefined {
  if (answer.withCredential) return 'it was asked for with a credential'
  if (headerOf(answer, 'set-cookie') !== undefined) return 'it sets a cookie'
  if (/\b(?:authorization|cookie)\b/i.test(headerOf(answer, 'vary') ?? ''))
    return 'it varies with the credential'
  return PERSONAL.test(pathOf(answer)) ? 'its name says that it is somebody’s own' : undefined
}

export function ofTypes({ answers }: Observed): readonly string[] {
  const untyped = answers.filter(
    (each) => each.status === 200 && each.method === 'GET' && headerOf(each, 'content-type') === undefined,
  )
  return untyped.length === 0
    ? [
        'Scripts and styles that are sent with a wrong Content-Type no longer load; none was seen without one.',
      ]
    : [`Give these a Content-Type first: ${some(untyped.map(({ path }) => path))}.`]
}

export function ofFraming(_observed: Observed, { headers }: PolicyDocument): readonly string[] {
  return [
    headers?.frameOptions === 'SAMEORIGIN'
      ? 'Pages of your own origin that frame it are denied too.'
      : 'Pages that frame it, your own included, are denied.',
  ]
}

export function ofCsp(observed: Observed): readonly string[] {
  const pages = pagesIn(observed)
  return pages.length === 0
    ? ['No page was seen: data is not affected.']
    : [
        `These pages load no script, style or image any more: ${some(pages)}. Give their routes a contentSecurityPolicy of their own first.`,
      ]
}

export function ofCorp(observed: Observed): readonly string[] {
  const assets = ofType(
    observed,
    /^(?:image|font|video|audio|text\/css|text\/javascript|application\/javascript)/i,
  )
  return assets.length === 0
    ? ['Calls with CORS are not affected; no image, font or script was seen that another site could embed.']
    : [`Other sites no longer embed these: ${some(assets)}; write 'cross-origin' on their routes.`]
}

export function ofReferrer(observed: Observed): readonly string[] {
  return pagesIn(observed).length === 0
    ? ['Nothing that an API does.']
    : ['Links from its pages no longer say where they come from; sign-ins that check Referer may.']
}

export function ofStrip({ answers }: Observed): readonly string[] {
  const seen = answers.flatMap(({ headers }) =>
    headers.map(([name]) => name.toLowerCase()).filter((name) => Object.hasOwn(STRIPPED, name)),
  )
  return seen.length === 0
    ? ['None of them was seen.']
    : [`Seen now, and gone then: ${some(seen)}; nothing reads them but people.`]
}

export function ofPages(observed: Observed): readonly string[] {
  const pages = pagesIn(observed)
  return pages.length === 0
    ? ['Nothing: it is about pages, and none was seen.']
    : [`See that sign-in windows, embedded content and device access still work on ${some(pages)}.`]
}

export function ofClient({ answers }: Observed): readonly string[] {
  const own = answers.some((each) => headerOf(each, 'x-request-id') !== undefined)
  return [
    own
      ? 'The application’s own X-Request-Id is replaced; log that of the policy.'
      : 'Answers get X-Request-Id; the application or upstream gets a traceparent.',
  ]
}
