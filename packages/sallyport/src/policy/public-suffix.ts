// Which names are public suffixes: names like "co.uk" or "github.io" below which strangers get names of their own.
// The list is kept as text; only the lines of the top-level names that are asked for are ever parsed. It is as large as
// the rest of a guard, and only patterns for subdomains need it: Node loads it when it is asked for, other hosts and
// bundles name it themselves, by `import 'sallyport/public-suffixes'`.

/** The list and the date of its state. */
export interface PublicSuffixList {
  readonly text: string
  /** `2024-12-06`. */
  readonly date: string
}

let list: PublicSuffixList | undefined
let isAsked = false

/** Hands the list over; `sallyport/public-suffixes` does so when it is imported. */
export function providePublicSuffixes(provided: PublicSuffixList): void {
  list = provided
}

/** The list, or `undefined` where it is neither provided nor to be found. */
export function publicSuffixes(): PublicSuffixList | undefined {
  if (list === undefined && !isAsked) {
    isAsked = true
    loadOnNode()
  }
  return list
}

function loadOnNode(): void {
  const host = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  const module = host.process?.getBuiltinModule?.('node:module') as
    | { createRequire(from: string): (name: string) => unknown }
    | undefined
  try {
    module?.createRequire(import.meta.url)('sallyport/public-suffixes')
  } catch {
    // A bundle far from its package: the policy's error says what to import.
  }
}

interface Rules {
  /** True where the name itself is a rule, not only on the way to longer ones. */
  readonly isRule: boolean
  /** By label; "*" stands for every label, "!label" for an exception. */
  readonly below: ReadonlyMap<string, Rules>
}

/**
 * The public suffix of a host name: `co.uk` for `www.example.co.uk`. A top-level name that the list does not know is
 * a public suffix, as the list's algorithm says.
 *
 * @param host in lower case, in ASCII form, without a trailing dot
 * @see https://github.com/publicsuffix/list/wiki/Format#algorithm
 */
export function publicSuffixOf(host: string): string {
  const labels = host.split('.')
  let rules = rulesOf(labels.at(-1)!)
  let length = 1
  for (let depth = 1; rules && depth < labels.length; depth++) {
    const label = labels[labels.length - 1 - depth]!
    // An exception takes the name itself out of the wildcard above it, and wins over every other rule.
    if (rules.below.has(`!${label}`)) {
      length = depth
      break
    }
    const next: Rules | undefined = rules.below.get(label)
    if (next?.isRule || rules.below.has('*')) length = depth + 1
    rules = next
  }
  return labels.slice(-length).join('.')
}

/** True where strangers can register names directly below this one. */
export function isPublicSuffix(host: string): boolean {
  return publicSuffixOf(host) === host
}

/**
 * A public suffix somewhere below the host, such as `s3.amazonaws.com` below `amazonaws.com`, or `undefined`: a
 * pattern for every subdomain of such a host would cover strangers' names as well.
 */
export function publicSuffixBelow(host: string): string | undefined {
  const labels = host.split('.')
  let rules = rulesOf(labels.at(-1)!)
  for (let depth = 1; rules && depth < labels.length; depth++)
    rules = rules.below.get(labels[labels.length - 1 - depth]!)
  const found = rules && firstRule(rules)
  return found && `${found}.${host}`
}

function firstRule(rules: Rules): string | undefined {
  for (const [label, next] of rules.below) {
    if (label.startsWith('!')) continue
    if (next.isRule) return label
    const deeper = firstRule(next)
    if (deeper !== undefined) return `${deeper}.${label}`
  }
  return undefined
}

// Bounded by the list's own number of top-level names: unknown ones are not remembered.
const parsed = new Map<string, Rules>()

function rulesOf(topLevel: string): Rules | undefined {
  const known = parsed.get(topLevel)
  if (known) return known
  // Only a whole host label may be looked up: anything else could hit the middle of a line.
  if (!/^[a-z0-9-]+$/.test(topLevel)) return undefined
  const text = publicSuffixes()?.text
  if (text === undefined) return undefined
  for (const start of [`\n${topLevel}(`, `\n?${topLevel}(`]) {
    const at = text.indexOf(start)
    if (at < 0) continue
    const end = text.indexOf('\n', at + 1)
    const rules = parseBelow(text.slice(at + start.length, end), start[1] !== '?')
    parsed.set(topLevel, rules)
    return rules
  }
  return undefined
}

type MutableRules = Rules & { readonly below: Map<string, Rules> }

/** Reads `below,below(…))`: what stands after a name's opening bracket. */
function parseBelow(text: string, isRule: boolean): Rules {
  const root: MutableRules = { isRule, below: new Map() }
  const open = [root]
  let last = root
  for (const [token] of text.matchAll(/[^(),]+|[()]/g)) {
    if (token === '(') open.push(last)
    else if (token === ')') open.pop()
    else {
      last = { isRule: !token.startsWith('?'), below: new Map() }
      open.at(-1)!.below.set(token.replace('?', ''), last)
    }
  }
  return root
}
