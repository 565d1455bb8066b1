// Who calls, once a credential has been checked: the one form in which keys, tokens and sessions hand it on.

/** The kinds of credentials that a caller may show. */
export const CREDENTIAL_KINDS = ['key', 'token', 'session'] as const

/** The credential that was shown; never the secret itself. */
export interface Credential {
  readonly kind: (typeof CREDENTIAL_KINDS)[number]
  /** A stable id that may be logged: of a key its record, of a token its `jti` or a digest, of a session its record. */
  readonly id: string
  /** Of a key: for servers, or for browsers. */
  readonly class?: 'secret' | 'publishable'
  /** Of a key: which of the two worlds it opens. */
  readonly environment?: 'live' | 'test'
  /** Of a key: which generation was shown, counted from 1. */
  readonly generation?: number
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

/** What an organisation's own plan differs in from the plan that it is named after: by bucket. */
export interface PlanOverrides {
  readonly buckets?: readonly {
    /** The bucket's name in the policy. */
    readonly name: string
    readonly limit?: number
    /** Seconds. */
    readonly windowSeconds?: number
  }[]
}

/** Who calls. */
export interface Principal {
  readonly organisation: string
  readonly store?: string
  /** The person or the service: of a token its `sub`, of a key its owner. */
  readonly subject?: string
  readonly credential: Credential
  readonly role?: string
  readonly plan?: string
  readonly planOverrides?: PlanOverrides
  /** What the credential allows and its owner may still do: the intersection of both. */
  readonly scopes: readonly string[]
  /** Milliseconds since the epoch, where a person signed in. */
  readonly signedInAt?: number
  /** How (RFC 8176): `pwd`, `otp`, `hwk`, … */
  readonly methods?: readonly string[]
}
