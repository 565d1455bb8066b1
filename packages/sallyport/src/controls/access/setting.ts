// `access`: which credentials are taken, and what a caller must have to come in. Where nothing is set, nothing is asked.

import { MODES, type Mode } from '../../guard/control.ts'
import { CREDENTIAL_KINDS } from '../../guard/principal.ts'
import { either, flag, type Infer, integer, list, object, oneOf, record, text } from '../../policy/schema.ts'
import { ALGORITHMS } from '../../tokens/algorithms.ts'

/** The path at which the keys of the handed-on identity are published. */
export const IDENTITY_KEYS_PATH = '/.well-known/sallyport-identity-keys.json'
export const DEFAULT_IDENTITY_HEADER = 'Sallyport-Identity'
export const DEFAULT_IDENTITY_SECONDS = 60

// RFC 6749, appendix A.4: scope-token.
const SCOPE = {
  pattern: /^[!#-[\]-~]{1,100}$/,
  max: 100,
  expected: 'the name of a scope',
  mend: 'write it without spaces, such as "orders:read"',
} as const
const ROLE = {
  pattern: /^[A-Za-z][\w.-]{0,63}$/,
  max: 64,
  expected: 'the name of a role',
  mend: 'write letters, digits, "-", "." and "_", such as "admin"',
} as const
const NAME = {
  pattern: /^[^\p{Cc}]{1,256}$/u,
  max: 256,
  expected: 'a name of at most 256 characters',
  mend: 'write it as the issuer does',
} as const
const scopeNames = (doc: string) => list(text(SCOPE, 'A scope of the catalogue.'), doc, { max: 200 })
const name = (doc: string) => text(NAME, doc)
const address = (doc: string) =>
  text(
    {
      pattern: /^https?:\/\/[!-~]+$/,
      expected: 'an address with https://',
      mend: 'write it as the issuer publishes it, such as "https://id.example.com/keys"',
    },
    doc,
  )

const issuer = object(
  {
    issuer: name('Who gives the tokens out: the claim iss, letter by letter.'),
    audience: either(
      [name('One name.'), list(name('A name.'), 'Several names.', { min: 1, max: 16 })],
      'The name of this API in the claim aud; of several, one must be there.',
    ),
    jwks: address('The address of the issuer’s published keys; tokens are then signed JWTs (RFC 9068).'),
    introspection: object(
      {
        url: address('The endpoint.'),
        clientId: name('Who we are there.'),
        secret: name('The name of the secret by which we show it; the value is given to the guard.'),
      },
      'Where the issuer is asked about each token (RFC 7662); answers are used for 5 seconds.',
    ),
    service: flag(
      'Whether the program itself knows the tokens, and was given to the guard as services.tokens.',
    ),
    algorithms: list(
      oneOf(ALGORITHMS, 'An algorithm.'),
      'The signatures that are taken; all of these where it is left out.',
      {
        min: 1,
      },
    ),
    type: oneOf(
      ['at+jwt', 'jwt'],
      'at+jwt: only what is marked as an access token (RFC 9068). jwt: tokens too that say JWT or nothing. at+jwt.',
    ),
    clockSkewSeconds: integer(
      { min: 0, max: 300, example: 30 },
      'By how much the issuer’s clock may differ. 30.',
    ),
    claims: object(
      {
        organisation: name('The claim that says whose token it is; the subject where it is left out.'),
        store: name('The claim that names the store.'),
        role: name('The claim that names the role.'),
        plan: name('The claim that names the plan.'),
        scope: name('The claim that holds the scopes. scope.'),
      },
      'Which claim says what.',
    ),
  },
  'An issuer: one of jwks, introspection and service.',
)

const catalogue = object(
  {
    scopes: record(
      SCOPE,
      text(
        { max: 200, expected: 'what the scope allows', mend: 'write a short sentence' },
        'What it allows.',
      ),
      'Every scope with what it allows.',
    ),
    roles: record(
      ROLE,
      scopeNames('The scopes of the role.'),
      'Every role with its scopes; a credential never reaches further than its owner’s role.',
    ),
  },
  'The scopes and roles that routes can ask for.',
)

export const accessSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    catalogue,
    tokens: list(issuer, 'The issuers whose access tokens are taken.', { max: 16 }),
    sessions: object(
      {
        cookie: text(
          {
            pattern: /^[!#$%&'*+\-.^_`|~\w]{1,128}$/,
            max: 128,
            expected: 'the name of a cookie',
            mend: 'write it as it is set, such as "__Host-session"',
          },
          'The cookie that holds the session.',
        ),
      },
      'Sessions of browsers; who is signed in is asked of services.sessions.',
    ),
    identity: object(
      {
        header: text(
          {
            pattern: /^Sallyport-[A-Za-z0-9-]{1,64}$/,
            max: 80,
            expected: 'a header name that begins with "Sallyport-"',
            mend: 'write "Sallyport-Identity": names that begin so are taken from every request',
          },
          'The header. Sallyport-Identity.',
        ),
        issuer: name('What stands in iss: the name of this gateway. sallyport.'),
        audience: name('What stands in aud: the name of the service behind the gateway.'),
        lifetimeSeconds: integer({ min: 10, max: 300, example: 60 }, 'How long it is valid. 60.'),
        key: name(
          'The name of the secret that holds the key: an Ed25519 private key as JWK. Where it is left out, each process makes its own.',
        ),
      },
      'The signed identity that the gateway hands to the upstream: a short-lived JWT (EdDSA).',
    ),
    selfService: flag(
      'Whether GET /v1/account and GET /v1/limits are answered here: who the caller is, and what is left of the limits. false.',
    ),
    authenticated: flag(
      'Whether a valid credential is required; false: none is, but one that is shown must be valid.',
    ),
    scopes: scopeNames('Scopes of which all are required.'),
    anyScope: scopeNames('Scopes of which one is required.'),
    roles: list(text(ROLE, 'A role of the catalogue.'), 'Roles of which one is required.', { max: 50 }),
    kinds: list(
      oneOf(CREDENTIAL_KINDS, 'A kind.'),
      'The kinds of credentials that are enough; all where it is left out.',
    ),
    signIn: object(
      {
        maxAgeSeconds: integer(
          { min: 1, max: 31_536_000, example: 300 },
          'The longest time since the person signed in.',
        ),
        methods: list(
          name('A method.'),
          'Ways to sign in, of which one is required (RFC 8176): "otp", "hwk".',
          {
            max: 16,
          },
        ),
      },
      'How recently and how the person must have signed in (RFC 9470).',
    ),
  },
  'Who may call what.',
)

export type AccessSetting = Infer<typeof accessSchema>

export const accessDefaults: AccessSetting = {}

/** What holds for the whole policy. */
export const ACCESS_WHOLE = ['catalogue', 'tokens', 'sessions', 'identity', 'selfService'] as const

/** True where the policy says which credentials are taken: by this control, or by `keys`. */
export function hasSource(
  setting: AccessSetting,
  settings: { readonly [control: string]: unknown } = {},
): boolean {
  const keys = settings['keys'] as { readonly mode?: Mode; readonly vendor?: unknown } | undefined
  return (
    (setting.tokens ?? []).length > 0 ||
    setting.sessions !== undefined ||
    (keys?.vendor !== undefined && keys.mode !== 'off')
  )
}
