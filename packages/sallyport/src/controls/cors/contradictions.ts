// What a policy must not say about cross-origin requests: found when it is loaded, not when it is attacked.

import { isHeaderName } from '../../guard/lines.ts'
import { METHODS } from '../../policy/pattern.ts'
import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { isOriginFault, parseOrigin } from './origin.ts'
import { type CorsSetting, fullSetting } from './setting.ts'

/** Every contradiction of one setting. */
export function corsContradictions(setting: CorsSetting): readonly PolicyProblem[] {
  if (setting.mode === 'off') return []
  const problems: PolicyProblem[] = []
  if (fullSetting(setting) === undefined && Object.values(setting).some((value) => value !== undefined))
    problems.push(
      problem(
        'origins',
        'missing',
        'nothing says which origins may call, so the control would do nothing',
        undefined,
        'add origins: ["https://app.example.com"], or origins: [] to grant nothing to anybody',
      ),
    )
  for (const [index, text] of (setting.origins ?? []).entries()) {
    const found = parseOrigin(text)
    if (isOriginFault(found))
      problems.push(problem(childPath('origins', index), found.kind, found.message, text, found.mend))
  }
  const credentialed = (setting.origins ?? []).length > 0
  problems.push(
    ...nameProblems('allowMethods', setting.allowMethods, credentialed, methodFault, (name) => name),
    ...nameProblems('allowHeaders', setting.allowHeaders, credentialed, requestHeaderFault, lower),
    ...nameProblems('exposeHeaders', setting.exposeHeaders, credentialed, responseHeaderFault, lower),
  )
  return problems
}

interface Fault {
  readonly kind: PolicyProblem['kind']
  readonly message: string
  readonly mend: string
}

function lower(name: string): string {
  return name.toLowerCase()
}

function nameProblems(
  field: 'allowMethods' | 'allowHeaders' | 'exposeHeaders',
  names: readonly string[] = [],
  credentialed: boolean,
  faultOf: (name: string) => Fault | undefined,
  key: (name: string) => string,
): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const seen = new Map<string, string>()
  for (const [index, name] of names.entries()) {
    const found = name === '*' ? starFault(credentialed) : faultOf(name)
    const earlier = seen.get(key(name))
    if (found) problems.push(problem(childPath(field, index), found.kind, found.message, name, found.mend))
    // The same spelling twice is found by the schema.
    else if (earlier !== undefined && earlier !== name)
      problems.push(
        problem(
          childPath(field, index),
          'value',
          `is the same name as ${JSON.stringify(earlier)}`,
          name,
          'remove one of them',
        ),
      )
    seen.set(key(name), name)
  }
  return problems
}

// Fetch standard, "CORS-preflight fetch", steps 7.5 and 7.7: for requests with credentials "*" is a plain name.
function starFault(credentialed: boolean): Fault | undefined {
  return credentialed
    ? {
        kind: 'contradiction',
        message: 'browsers take "*" for a plain name where an origin is allowed credentials',
        mend: 'list the names, or leave origins empty',
      }
    : undefined
}

// Fetch standard, "forbidden method".
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

function methodFault(name: string): Fault | undefined {
  if (!isHeaderName(name))
    return { kind: 'value', message: 'is not a method (RFC 9110, section 9.1)', mend: 'write "PATCH"' }
  const upper = name.toUpperCase()
  if (FORBIDDEN_METHODS.has(upper))
    return { kind: 'value', message: 'no page can ever send this method (Fetch standard)', mend: 'remove it' }
  // "CORS-preflight fetch", step 7.5, compares methods byte by byte.
  if (name !== upper && (METHODS as readonly string[]).includes(upper))
    return { kind: 'value', message: 'methods are told apart by letter case', mend: `write "${upper}"` }
  return undefined
}

// Fetch standard, "forbidden request-header", step 1.
const FORBIDDEN_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept-charset',
  'accept-encoding',
  'access-control-request-headers',
  'access-control-request-method',
  'connection',
  'content-length',
  'cookie',
  'cookie2',
  'date',
  'dnt',
  'expect',
  'host',
  'keep-alive',
  'origin',
  'referer',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
])

function requestHeaderFault(name: string): Fault | undefined {
  if (!isHeaderName(name)) return NOT_A_NAME
  const lowered = lower(name)
  // Step 2: the prefixes.
  if (FORBIDDEN_REQUEST_HEADERS.has(lowered) || /^(?:proxy-|sec-)/.test(lowered))
    return { kind: 'value', message: 'no page can ever set this header (Fetch standard)', mend: 'remove it' }
  if (lowered.startsWith('access-control-'))
    return { kind: 'value', message: 'this is a header of answers, not of requests', mend: 'remove it' }
  return undefined
}

function responseHeaderFault(name: string): Fault | undefined {
  if (!isHeaderName(name)) return NOT_A_NAME
  // Fetch standard, "forbidden response-header name".
  if (/^set-cookie2?$/i.test(name))
    return { kind: 'value', message: 'no page can ever read this header (Fetch standard)', mend: 'remove it' }
  return undefined
}

const NOT_A_NAME: Fault = {
  kind: 'value',
  message: 'is not a header name (RFC 9110, section 5.1)',
  mend: 'write "x-request-id"',
}
