// Content-Security-Policy as text: its directives, its value, and how a browser reads it back.

/** @see W3C Content Security Policy Level 3, section 6, and the specifications that it lists */
export const CSP_DIRECTIVES = [
  'default-src',
  'script-src',
  'script-src-elem',
  'script-src-attr',
  'style-src',
  'style-src-elem',
  'style-src-attr',
  'img-src',
  'font-src',
  'connect-src',
  'media-src',
  'object-src',
  'frame-src',
  'child-src',
  'worker-src',
  'manifest-src',
  'fenced-frame-src',
  'base-uri',
  'form-action',
  'frame-ancestors',
  'sandbox',
  'report-to',
  'report-uri',
  'require-trusted-types-for',
  'trusted-types',
  'upgrade-insecure-requests',
] as const

/** Directives and their values. */
export type CspSetting = Readonly<Record<string, readonly string[]>>

/** The token that is filled with a fresh nonce for each answer. */
export const NONCE = "'nonce'"

/** The header's value; `nonce` stands in place of `'nonce'`. */
export function cspValue(csp: CspSetting, nonce?: string): string {
  return Object.entries(csp)
    .map(([directive, values]) =>
      [
        directive,
        ...values.map((value) => (value === NONCE && nonce !== undefined ? `'nonce-${nonce}'` : value)),
      ].join(' '),
    )
    .join('; ')
}

/** The values around the places of the nonce, so that an answer only joins them: `parts.join(nonce)`. */
export function cspAroundNonce(csp: CspSetting): readonly string[] {
  return cspValue(csp, '\n').split('\n')
}

/** True where an answer needs a nonce of its own. */
export function usesNonce(csp: CspSetting): boolean {
  return Object.values(csp).some((values) => values.includes(NONCE))
}

/** A policy as it came over the wire. */
export interface ObservedCsp {
  /** The directives; nonces are written `'nonce'`, so that they compare with a setting. */
  readonly csp: CspSetting
  readonly nonces: readonly string[]
  readonly unknown: readonly string[]
}

/**
 * Reads every policy of every line: policies are told apart by commas, and of a repeated directive the first counts.
 *
 * @see CSP3, sections 2.2.1 and 2.2.2
 */
export function parseCsp(values: readonly string[]): readonly ObservedCsp[] {
  const policies: ObservedCsp[] = []
  for (const serialized of values.flatMap((value) => value.split(','))) {
    const csp: Record<string, readonly string[]> = {}
    const nonces: string[] = []
    const unknown: string[] = []
    for (const token of serialized.split(';')) {
      const [directive = '', ...words] = token.trim().split(/[\t\n\f\r ]+/)
      const name = directive.toLowerCase()
      if (name === '' || Object.hasOwn(csp, name) || unknown.includes(name)) continue
      if (!(CSP_DIRECTIVES as readonly string[]).includes(name)) unknown.push(name)
      else
        csp[name] = words.map((word) => {
          if (!/^'nonce-/i.test(word)) return word
          nonces.push(word.slice(7, -1))
          return NONCE
        })
    }
    if (Object.keys(csp).length > 0 || unknown.length > 0) policies.push({ csp, nonces, unknown })
  }
  return policies
}
