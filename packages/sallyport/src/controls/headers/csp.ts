// Content-Security-Policy: its directives and its value.

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

/** True where an answer needs a nonce of its own. */
export function usesNonce(csp: CspSetting): boolean {
  return Object.values(csp).some((values) => values.includes(NONCE))
}
