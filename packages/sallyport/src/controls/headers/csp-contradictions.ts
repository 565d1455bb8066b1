// What is wrong in a Content-Security-Policy that has the right form: words a browser would ignore or read otherwise.

import { childPath, nearest, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { type CspSetting, NONCE } from './csp.ts'
import { parseSource } from './csp-source.ts'
import { CODE, ELEMENTS, HASH, KEYWORDS, NO_SOURCES, SANDBOX } from './csp-words.ts'

/** What the rules know beside the policy itself. */
export interface CspContext {
  /** `contentSecurityPolicy` or `contentSecurityPolicyReportOnly`. */
  readonly path: string
  readonly reportOnly: boolean
  readonly endpoints: Readonly<Record<string, string>>
}

/** Everything that is wrong, each with its path. */
export function cspProblems(csp: CspSetting, context: CspContext): readonly PolicyProblem[] {
  const problems = Object.entries(csp).flatMap(([directive, words]) => {
    const path = childPath(context.path, directive)
    return NO_SOURCES.has(directive)
      ? documentProblems(directive, words, path, context)
      : listProblems(directive, words, path)
  })
  if (Object.keys(csp).length === 0)
    problems.push(
      problem(
        context.path,
        'contradiction',
        'a policy without directives allows everything',
        csp,
        'write false, or { "default-src": ["\'none\'"] }',
      ),
    )
  if (context.reportOnly && csp['report-to'] === undefined && csp['report-uri'] === undefined)
    problems.push(
      problem(
        context.path,
        'contradiction',
        'a policy that only reports has nobody to report to',
        undefined,
        'add "report-to" with the name of one of reportingEndpoints',
      ),
    )
  return problems
}

function listProblems(directive: string, words: readonly string[], path: string): PolicyProblem[] {
  if (words.length === 0)
    return [
      problem(
        path,
        'contradiction',
        'an empty list allows nothing without saying so',
        [],
        'write ["\'none\'"]',
      ),
    ]
  const found = words.flatMap((word, index) => wordProblems(directive, word, childPath(path, index)))
  const at = (word: string) => childPath(path, words.indexOf(word))
  const cancels = words.find((word) => word === NONCE || HASH.test(word))
  const none = words.find((word) => word.toLowerCase() === "'none'")
  if (none !== undefined && words.length > 1)
    found.push(
      problem(
        at(none),
        'contradiction',
        `'none' is ignored beside ${words.find((word) => word !== none)}`,
        none,
        "remove 'none' or everything else",
      ),
    )
  if (words.includes("'unsafe-inline'") && cancels !== undefined)
    found.push(
      problem(
        at("'unsafe-inline'"),
        'contradiction',
        `browsers ignore 'unsafe-inline' beside ${cancels}`,
        "'unsafe-inline'",
        "remove 'unsafe-inline'",
      ),
    )
  if (words.includes("'strict-dynamic'") && cancels === undefined)
    found.push(
      problem(
        at("'strict-dynamic'"),
        'contradiction',
        "'strict-dynamic' without a nonce or a hash blocks every script",
        "'strict-dynamic'",
        "add 'nonce'",
      ),
    )
  if (words.includes("'unsafe-hashes'") && !words.some((word) => HASH.test(word)))
    found.push(
      problem(
        at("'unsafe-hashes'"),
        'contradiction',
        "'unsafe-hashes' has no hash to extend",
        "'unsafe-hashes'",
        'add the hash or remove it',
      ),
    )
  return found
}

function wordProblems(directive: string, word: string, path: string): PolicyProblem[] {
  const wrong = (kind: 'value' | 'contradiction' | 'insecure', message: string, mend: string) => [
    problem(path, kind, message, word, mend),
  ]
  if (!word.startsWith("'")) {
    const bare = `'${word.toLowerCase()}'`
    if (KEYWORDS.includes(bare) || /^(?:nonce|sha(?:256|384|512))-/i.test(word))
      return wrong('contradiction', 'without quotes this is the name of a host', `write "'${word}'"`)
    const source = parseSource(word)
    // "https//a.example" would be a path on a host of the name "https".
    if (!source || (source.kind === 'host' && /^(?:https?|wss?)$/.test(source.host)))
      return wrong(
        'value',
        'this is no source expression, so browsers ignore it',
        'write \'self\', "https:" or a host such as "https://cdn.example"',
      )
    const scheme = 'scheme' in source ? source.scheme : undefined
    if (scheme === 'http' || scheme === 'ws')
      return wrong(
        'insecure',
        `what comes over ${scheme}: can be changed on the way`,
        `write ${scheme}s: instead`,
      )
    return []
  }
  if (/^'nonce-/i.test(word))
    return wrong(
      'insecure',
      'a nonce that stands in the policy is the same in every answer',
      'write "\'nonce\'", which is filled with a fresh one',
    )
  const takes = (directives: readonly string[], what: string) =>
    directives.includes(directive)
      ? []
      : wrong(
          'contradiction',
          `${directive} takes no ${what}`,
          `move it to ${directive.startsWith('style') ? 'style-src' : 'script-src'}`,
        )
  if (word === NONCE) return takes(ELEMENTS, 'nonce')
  if (HASH.test(word)) return takes(CODE, 'hash')
  const keyword = KEYWORDS.find((known) => known === word.toLowerCase())
  if (keyword === undefined) {
    const meant = nearest(word, KEYWORDS)
    return wrong(
      'value',
      'browsers know no such word',
      meant ? `did you mean "${meant}"?` : `the words are ${KEYWORDS.join(' ')}`,
    )
  }
  if (keyword !== word) return wrong('value', 'words are written in small letters here', `write "${keyword}"`)
  if (keyword === "'none'" || keyword === "'self'" || keyword === "'report-sample'") return []
  return takes(CODE, keyword)
}

function documentProblems(
  directive: string,
  words: readonly string[],
  path: string,
  context: CspContext,
): PolicyProblem[] {
  const wrong = (message: string, mend: string, received: unknown = words) => [
    problem(path, 'contradiction', message, received, mend),
  ]
  if (context.reportOnly && (directive === 'sandbox' || directive === 'upgrade-insecure-requests'))
    return wrong(
      `browsers ignore ${directive} in a policy that only reports`,
      'move it to contentSecurityPolicy',
    )
  switch (directive) {
    case 'upgrade-insecure-requests':
      return words.length > 0 ? wrong('it takes no values', 'write []') : []
    case 'require-trusted-types-for':
      return words.length === 1 && words[0] === "'script'"
        ? []
        : wrong("it takes 'script' only", 'write ["\'script\'"]')
    case 'trusted-types':
      return words.includes("'none'") && words.length > 1
        ? wrong("'none' is ignored beside other names", "remove 'none' or everything else")
        : []
    case 'sandbox':
      return words.flatMap((word, index) => {
        if (SANDBOX.includes(word)) return []
        const meant = nearest(word, SANDBOX)
        return [
          problem(
            childPath(path, index),
            'value',
            'browsers know no such sandbox word',
            word,
            meant
              ? `did you mean "${meant}"?`
              : 'write one such as allow-scripts, or [] for the strictest sandbox',
          ),
        ]
      })
    case 'report-to': {
      if (words.length !== 1)
        return wrong(
          'it takes the name of one endpoint',
          'write ["csp"] and reportingEndpoints: { csp: "https://…" }',
        )
      const names = Object.keys(context.endpoints)
      const name = words[0]!
      if (names.includes(name)) return []
      const meant = nearest(name, names)
      return wrong(
        'reportingEndpoints has no endpoint of this name',
        meant
          ? `did you mean "${meant}"?`
          : `add reportingEndpoints: { ${JSON.stringify(name)}: "https://reports.example/csp" }`,
        name,
      )
    }
    default:
      return words.length > 0 && words.every((word) => /^(?:https:\/\/|\/(?!\/))/.test(word))
        ? []
        : wrong('it takes https URLs or paths', 'write ["https://reports.example/csp"]')
  }
}
