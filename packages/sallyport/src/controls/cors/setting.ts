// `cors`: which pages may read answers in a browser, and by which credential.

import type { CellInfo } from '../../guard/cell.ts'
import { MODES } from '../../guard/control.ts'
import { type Infer, integer, list, object, oneOf, text } from '../../policy/schema.ts'

const originText = text(
  { max: 300, expected: 'an origin', mend: 'write it as "https://app.example.com"' },
  '`https://app.example.com`, or `https://*.example.com` for its subdomains of every depth.',
)
const nameText = (what: string, example: string) =>
  text({ max: 100, expected: what, mend: `write a name such as "${example}"` }, `Such as \`${example}\`.`)

export const corsSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    origins: list(
      originText,
      'The credentialed class: origins whose pages may call with the cookies of their visitors. Where neither this nor `bearer` is set, cross-origin rules are left to the application.',
    ),
    bearer: oneOf(
      ['any-origin', 'listed'],
      'Whether pages of every other origin may call with `Authorization: Bearer` and without cookies, on routes that take a bearer credential or none; "listed" where nothing is said.',
    ),
    allowMethods: list(
      nameText('a method', 'PATCH'),
      'The methods that a preflight allows; GET, HEAD and POST where nothing is said.',
    ),
    allowHeaders: list(
      nameText('a header name', 'authorization'),
      'The request headers that a preflight allows; authorization and content-type where nothing is said.',
    ),
    exposeHeaders: list(
      nameText('a header name', 'x-request-id'),
      'The response headers that pages may read beyond the seven that the Fetch standard exposes by itself.',
    ),
    maxAgeSeconds: integer(
      { min: 0, max: 86_400, example: 600 },
      'How long a browser may keep a preflight answer, in seconds; 600 where nothing is said.',
    ),
  },
  'Cross-origin requests (CORS, Fetch standard).',
)

export type CorsSetting = Infer<typeof corsSchema>

/** A setting with everything filled in. */
export interface FullCorsSetting {
  readonly origins: readonly string[]
  readonly bearer: 'any-origin' | 'listed'
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly maxAgeSeconds: number
}

/** The setting with its defaults; `undefined` where cross-origin rules are left to the application. */
export function fullSetting(setting: CorsSetting): FullCorsSetting | undefined {
  if (setting.origins === undefined && setting.bearer === undefined) return undefined
  return {
    origins: setting.origins ?? [],
    bearer: setting.bearer ?? 'listed',
    allowMethods: setting.allowMethods ?? ['GET', 'HEAD', 'POST'],
    allowHeaders: setting.allowHeaders ?? ['authorization', 'content-type'],
    exposeHeaders: setting.exposeHeaders ?? [],
    maxAgeSeconds: setting.maxAgeSeconds ?? 600,
  }
}

/** True where pages of unlisted origins may call without cookies: never where cookies are all that a route takes. */
export function isOpen(full: FullCorsSetting, cell: Pick<CellInfo, 'credentials'>): boolean {
  return full.bearer === 'any-origin' && cell.credentials !== 'cookie'
}

/** Nothing is granted to anybody on paths that two programs may read differently. */
export function strictCors(setting: CorsSetting): CorsSetting {
  return fullSetting(setting) === undefined ? setting : { ...setting, origins: [], bearer: 'listed' }
}
