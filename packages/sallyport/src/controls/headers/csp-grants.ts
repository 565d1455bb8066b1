// What a Content-Security-Policy lets happen, kind by kind, after fallbacks and after keywords have cancelled each other.

import { type CspSetting, NONCE } from './csp.ts'
import { covers, parseSource, type Source } from './csp-source.ts'

/** What one policy grants for one kind of load. */
export interface Grant {
  /** No directive restricts this kind. */
  readonly everything: boolean
  readonly places: readonly Source[]
  /** What needs no place: `inline`, `eval`, `wasm`, `nonce`, `dynamic`, hashes. */
  readonly powers: ReadonlySet<string>
}

type Family = 'script' | 'script-attribute' | 'eval' | 'style' | 'style-attribute' | 'worker' | 'place'

/**
 * The kinds of load, each with the directives that may govern it, the first present counts.
 *
 * @see CSP3, section 6.8.3
 */
export const KINDS: Readonly<Record<string, { family: Family; directives: readonly string[] }>> = {
  'script-src-elem': { family: 'script', directives: ['script-src-elem', 'script-src', 'default-src'] },
  'script-src-attr': {
    family: 'script-attribute',
    directives: ['script-src-attr', 'script-src', 'default-src'],
  },
  'eval()': { family: 'eval', directives: ['script-src', 'default-src'] },
  'style-src-elem': { family: 'style', directives: ['style-src-elem', 'style-src', 'default-src'] },
  'style-src-attr': { family: 'style-attribute', directives: ['style-src-attr', 'style-src', 'default-src'] },
  'worker-src': { family: 'worker', directives: ['worker-src', 'child-src', 'script-src', 'default-src'] },
  'img-src': { family: 'place', directives: ['img-src', 'default-src'] },
  'font-src': { family: 'place', directives: ['font-src', 'default-src'] },
  'connect-src': { family: 'place', directives: ['connect-src', 'default-src'] },
  'media-src': { family: 'place', directives: ['media-src', 'default-src'] },
  'object-src': { family: 'place', directives: ['object-src', 'default-src'] },
  'manifest-src': { family: 'place', directives: ['manifest-src', 'default-src'] },
  'frame-src': { family: 'place', directives: ['frame-src', 'child-src', 'default-src'] },
  'fenced-frame-src': {
    family: 'place',
    directives: ['fenced-frame-src', 'frame-src', 'child-src', 'default-src'],
  },
  'base-uri': { family: 'place', directives: ['base-uri'] },
  'form-action': { family: 'place', directives: ['form-action'] },
  'frame-ancestors': { family: 'place', directives: ['frame-ancestors'] },
}

const EVERYTHING: Grant = { everything: true, places: [], powers: new Set() }

/** What the policy grants for a kind. */
export function grantOf(csp: CspSetting, kind: string): Grant {
  const { family, directives } = KINDS[kind]!
  const governing = directives.find((name) => csp[name] !== undefined)
  if (governing === undefined) return EVERYTHING
  const list = csp[governing]!
  const places = list.flatMap((expression) => parseSource(expression) ?? [])
  const words = new Set(list.map((word) => (word.startsWith("'") ? keyword(word) : '')))
  const hashes = list.filter((word) => /^'sha(?:256|384|512)-/i.test(word))
  const dynamic = words.has('strict-dynamic')
  const powers = new Set<string>()
  // CSP3, section 6.7.3.2: 'unsafe-inline' is void beside a nonce or a hash, for scripts beside 'strict-dynamic' too.
  const voids = words.has('nonce') || hashes.length > 0 || (dynamic && !family.startsWith('style'))
  switch (family) {
    case 'script':
    case 'style':
      if (words.has('unsafe-inline') && !voids) powers.add('inline')
      if (words.has('nonce')) powers.add('nonce')
      for (const hash of hashes) powers.add(hash)
      if (words.has('unsafe-hashes')) for (const hash of hashes) powers.add(`attribute ${hash}`)
      if (dynamic && family === 'script') powers.add('dynamic')
      // CSP3, section 6.7.1.1: under 'strict-dynamic' places count no more.
      return { everything: false, places: dynamic && family === 'script' ? [] : places, powers }
    case 'script-attribute':
    case 'style-attribute':
      if (words.has('unsafe-inline') && !voids) powers.add('inline')
      if (words.has('unsafe-hashes')) for (const hash of hashes) powers.add(`attribute ${hash}`)
      return { everything: false, places: [], powers }
    case 'eval':
      if (words.has('unsafe-eval')) powers.add('eval')
      if (words.has('unsafe-eval') || words.has('wasm-unsafe-eval')) powers.add('wasm')
      return { everything: false, places: [], powers }
    case 'worker': {
      const byScript = dynamic && governing === 'script-src'
      if (byScript) powers.add('dynamic')
      return { everything: false, places: byScript ? [] : places, powers }
    }
    case 'place':
      return { everything: false, places, powers }
  }
}

function keyword(word: string): string {
  return word === NONCE ? 'nonce' : word.slice(1, -1).toLowerCase()
}

/** What `inner` grants and `outer` does not, as a sentence's end; `undefined` where `outer` grants it all. */
export function surplus(outer: Grant, inner: Grant, kind: string): string | undefined {
  if (outer.everything) return undefined
  if (inner.everything) return 'everything is allowed, since no directive restricts it'
  const load = kind === 'connect-src' ? 'connect' : 'other'
  for (const place of inner.places)
    if (!outer.places.some((other) => covers(other, place, load))) return `${place.text} is allowed`
  for (const power of inner.powers)
    if (!hasPower(outer, power)) return SENTENCE[power] ?? `${power} is allowed`
  return undefined
}

// Whoever may run any inline script may do what a nonce or a hash allows, and load what such a script would load.
function hasPower(grant: Grant, power: string): boolean {
  if (grant.powers.has(power)) return true
  if (!grant.powers.has('inline')) return false
  return power !== 'dynamic' || grant.places.some(({ kind }) => kind === 'star')
}

const SENTENCE: Readonly<Record<string, string>> = {
  inline: 'inline code runs, also what an attacker injects',
  eval: 'text can be turned into code',
  wasm: 'WebAssembly can be compiled',
  nonce: 'an element that carries the nonce is allowed',
  dynamic: 'a trusted script may load any other',
}
