// The words of Content-Security-Policy that browsers know, and the directives that take them.

export const KEYWORDS = [
  "'none'",
  "'self'",
  "'nonce'",
  "'unsafe-inline'",
  "'unsafe-eval'",
  "'wasm-unsafe-eval'",
  "'unsafe-hashes'",
  "'strict-dynamic'",
  "'report-sample'",
  "'inline-speculation-rules'",
  "'trusted-types-eval'",
]

export const SANDBOX = [
  'allow-downloads',
  'allow-forms',
  'allow-modals',
  'allow-orientation-lock',
  'allow-pointer-lock',
  'allow-popups',
  'allow-popups-to-escape-sandbox',
  'allow-presentation',
  'allow-same-origin',
  'allow-scripts',
  'allow-storage-access-by-user-activation',
  'allow-top-navigation',
  'allow-top-navigation-by-user-activation',
  'allow-top-navigation-to-custom-protocols',
]

export const ELEMENTS = ['default-src', 'script-src', 'script-src-elem', 'style-src', 'style-src-elem']
export const CODE = [...ELEMENTS, 'script-src-attr', 'style-src-attr']
export const NO_SOURCES = new Set([
  'sandbox',
  'report-to',
  'report-uri',
  'require-trusted-types-for',
  'trusted-types',
  'upgrade-insecure-requests',
])

export const HASH = /^'sha(?:256|384|512)-[A-Za-z0-9+/_-]{1,128}={0,2}'$/
