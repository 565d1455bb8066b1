// `keys`: which API keys open the API, and what a publishable one opens.

import type { CellInfo } from '../../guard/cell.ts'
import { MODES } from '../../guard/control.ts'
import { METHODS } from '../../policy/pattern.ts'
import { either, type Infer, integer, list, not, object, oneOf, record, text } from '../../policy/schema.ts'

const publishable = object(
  {
    methods: list(oneOf(METHODS, 'A method.'), 'The methods; GET and HEAD where nothing is said.'),
    scopes: list(
      text(
        { max: 100, expected: 'a scope', mend: 'write one such as "products:read"' },
        'Such as `products:read`.',
      ),
      'The scopes that a publishable key may use here: of its own only these count.',
    ),
  },
  'What a publishable key may do here.',
)

const leakReports = object(
  {
    githubKeys: record(
      {
        pattern: /^[0-9a-f]{64}$/,
        expected: 'an identifier of a key of GitHub: 64 hexadecimal digits',
        mend: 'copy it from https://api.github.com/meta/public_keys/secret_scanning',
      },
      text(
        {
          max: 1000,
          pattern: /^-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,900}-----END PUBLIC KEY-----\s*$/,
          expected: 'a public key in PEM',
          mend: 'copy it from https://api.github.com/meta/public_keys/secret_scanning',
        },
        'The key in PEM.',
      ),
      "GitHub's public keys by their identifiers: a report that is signed with one is told as GitHub's.",
    ),
  },
  'Keys that leaked are reported at `POST /.well-known/key-leaks`.',
)

const scopeName = (doc: string) =>
  text(
    {
      pattern: /^[!#-[\]-~]{1,100}$/,
      max: 100,
      expected: 'the name of a scope',
      mend: 'write it without spaces, such as "settings:write"',
    },
    doc,
  )

const selfService = object(
  {
    readScope: scopeName('The scope that lists and shows keys. settings:read.'),
    writeScope: scopeName('The scope that makes, rotates and revokes keys. settings:write.'),
    roles: list(
      text(
        {
          pattern: /^[A-Za-z][\w.-]{0,63}$/,
          max: 64,
          expected: 'the name of a role',
          mend: 'write letters, digits, "-", "." and "_", such as "admin"',
        },
        'A role.',
      ),
      'The roles that make, rotate and revoke keys: nobody who has another role does. ["admin"].',
      { max: 50 },
    ),
  },
  'Who works on the keys of an organisation at `/v1/keys`.',
)

export const keysSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    vendor: text(
      {
        max: 20,
        pattern: /^(?!(?:live|test|prod)$)[a-z][a-z0-9]{1,19}$/,
        expected: 'the name that keys carry: 2 to 20 of a–z and 0–9, a letter first, not live, test or prod',
        mend: 'write one such as "acme": keys are then sk_acme_live_…',
      },
      'The name that keys carry: `sk_acme_live_…`. Where it is not set, no key is read.',
    ),
    environment: oneOf(
      ['live', 'test', 'both'],
      'The keys that are taken: those of one world, or of both; "live" where nothing is said.',
    ),
    header: list(
      oneOf(['authorization', 'x-api-key'], 'A header.'),
      'Where a key is read: `Authorization: Bearer`, `X-API-Key`; the first alone where nothing is said.',
      { min: 1 },
    ),
    overlapSeconds: integer(
      { min: 0, max: 604_800, example: 3600 },
      'How long the old key lives on after a rotation where nobody says otherwise, in seconds; 0: it ends at once.',
    ),
    expiresAfterDays: integer(
      { min: 1, max: 3650, example: 365 },
      'How long a new key lives where nobody says otherwise, in days; 365 where nothing is said.',
    ),
    failuresPerMinute: integer(
      { min: 1, max: 10_000, example: 30 },
      'How many bad keys an address may show in a minute before none of its keys is looked up; 30 where nothing is said.',
    ),
    publishable: either(
      [not('No publishable key opens this.'), publishable],
      'What a publishable key may do here; nothing where nothing is said.',
    ),
    leakReports: either(
      [not('No reports.'), leakReports],
      'Whether reports of keys that leaked are taken at `POST /.well-known/key-leaks`: a secret key that somebody names there is revoked. No where nothing is said.',
    ),
    selfService: either(
      [not('No.'), selfService],
      'Whether `/v1/keys` is answered here: callers list, make, rotate and revoke the keys of their organisation, and a secret key itself. No where nothing is said.',
    ),
  },
  'API keys.',
)

export type KeysSetting = Infer<typeof keysSchema>

/** Bad keys of an address in a minute, where nobody says otherwise. */
export const FAILURES_PER_MINUTE = 30

export const keysDefaults: KeysSetting = {}

/** A setting with everything filled in. */
export interface FullKeysSetting {
  readonly vendor: string
  readonly environment: 'live' | 'test' | 'both'
  readonly header: readonly ('authorization' | 'x-api-key')[]
  readonly overlapSeconds: number
  readonly expiresAfterDays: number
  readonly failuresPerMinute: number
  readonly publishable:
    | { readonly methods: readonly string[]; readonly scopes: readonly string[] }
    | undefined
}

/** The setting with its defaults; `undefined` where no key is read. */
export function fullSetting(
  setting: KeysSetting,
  { credentials }: Pick<CellInfo, 'credentials'>,
): FullKeysSetting | undefined {
  const { vendor, publishable: open } = setting
  if (vendor === undefined || credentials === 'none' || credentials === 'cookie') return undefined
  return {
    vendor,
    environment: setting.environment ?? 'live',
    header: setting.header ?? ['authorization'],
    overlapSeconds: setting.overlapSeconds ?? 0,
    expiresAfterDays: setting.expiresAfterDays ?? 365,
    failuresPerMinute: setting.failuresPerMinute ?? FAILURES_PER_MINUTE,
    publishable: open ? { methods: open.methods ?? ['GET', 'HEAD'], scopes: open.scopes ?? [] } : undefined,
  }
}

/** Who works on keys, with everything filled in. */
export interface FullSelfService {
  readonly readScope: string
  readonly writeScope: string
  readonly roles: readonly string[]
}

/** Who works on keys; `undefined` where nobody does here. */
export function fullSelfService({
  vendor,
  selfService: own,
  mode = 'enforce',
}: KeysSetting): FullSelfService | undefined {
  if (vendor === undefined || !own || mode !== 'enforce') return undefined
  return {
    readScope: own.readScope ?? 'settings:read',
    writeScope: own.writeScope ?? 'settings:write',
    roles: own.roles ?? ['admin'],
  }
}

/** No publishable key opens a path that two programs may read differently. */
export function strictKeys(setting: KeysSetting): KeysSetting {
  return setting.publishable ? { ...setting, publishable: false } : setting
}
