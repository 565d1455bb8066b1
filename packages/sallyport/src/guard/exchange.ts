// One request and its answer, as the controls see it: the only seam between sockets and policy.
// Front ends and adapters fill it; controls read it, and hand facts to each other only through its typed fields.

import type { ErrorCode } from '../errors/catalogue.ts'
import { peerText } from '../policy/address.ts'
import type { CounterVerdict } from '../ports/counters.ts'
import type { Cell } from './cell.ts'
import type { Answer, Denial } from './control.ts'
import type { Principal } from './principal.ts'

/** The facts of a request that a front end must supply. */
export interface Incoming {
  readonly method: string
  /** The request target as it came: path and query, or another form of RFC 9112, section 3.2. */
  readonly target: string
  /** `1.1`, `1.0`, `2.0`, … */
  readonly httpVersion: string
  /** Names and values in turn, as they came; empty where a runtime hides them. */
  readonly rawHeaders: readonly string[]
  /** The first value of a header by its lower-case name. */
  header(name: string): string | undefined
  /** The address at the other end of the connection, where there is one. */
  readonly peer: string | undefined
  /** True where TLS ends at this listener. */
  readonly encrypted: boolean
  /** The verified certificate of the client, where TLS ends at this listener and one was shown. */
  readonly clientCertificate?: ClientCertificate | undefined
  /**
   * Reads the whole body, once, for an answer of the guard's own: nobody else can read it then. `too-large`: it is longer
   * than so many bytes. `cut`: the client went away before it ended. Never rejects; absent where there is no body to read.
   */
  body?(maxBytes: number): Promise<Uint8Array | 'too-large' | 'cut'>
}

/** A certificate whose key the client holds, signed by an authority that the listener was told of. */
export interface ClientCertificate {
  /** SHA-256 of the certificate, in small hexadecimal digits. */
  readonly fingerprint: string
  /** `CN=billing, O=Example` */
  readonly subject: string
  /** As Node writes it: `DNS:billing.example, URI:spiffe://example/billing`. */
  readonly subjectAltName: string | undefined
  /** What goes to the upstream in Client-Cert (RFC 9440), where the gateway was told to say it. */
  readonly forwarded?: string
}

/** The scheme by which the client came, as far as it is known. */
export type Scheme = 'https' | 'http' | 'unknown'

/** Who called, behind the declared proxies. */
export interface Client {
  /** The client's address in canonical text; `undefined` where the host hides it, or the connection is gone already. */
  readonly address: string | undefined
  readonly scheme: Scheme
  /** The host asked for: the request's own, or the one that a declared proxy forwards. */
  readonly host: string | undefined
  /** True where the peer is a declared proxy. */
  readonly viaProxy: boolean
}

/** The other end of the connection. Read when asked for: most requests never need the address. */
export class DirectClient implements Client {
  readonly viaProxy = false
  private readonly incoming: Incoming

  constructor(incoming: Incoming) {
    this.incoming = incoming
  }

  get address(): string | undefined {
    return peerText(this.incoming.peer)
  }

  // What reaches us in clear may have been encrypted up to a front that is not declared.
  get scheme(): Scheme {
    return this.incoming.encrypted ? 'https' : 'unknown'
  }

  get host(): string | undefined {
    return this.incoming.header('host')
  }
}

/** What a control decided about a request. */
export interface Decision {
  /** Its register id. */
  readonly control: string
  readonly verdict: Denial | Answer
}

/** A sign-in that `lockout` watches over: whoever reads its body asks before anything is verified. */
export interface SignIn {
  /** A longer body is refused; bytes. */
  readonly maxBodyBytes: number
  /** The name in a body, or the code by which the request is refused where not every program reads the same one. */
  nameIn(body: Uint8Array): { readonly name: string } | { readonly code: ErrorCode }
  /** Counts the guess; a denial where it must not be verified. The status of the answer settles it. Never rejects. */
  attempt(name: string): Promise<Denial | undefined>
}

const NO_PAIRS: readonly (readonly [string, string])[] = []

/** One request on its way through the controls. */
export class Exchange {
  readonly incoming: Incoming
  readonly cell: Cell
  /** The path without its query. */
  readonly path: string
  /** Path and query, also where the target came in absolute form. */
  readonly target: string
  /** Written by `cors`: the caller is an origin that must not act with the user's cookies. */
  cookiesIgnored = false
  /** Written by `request`: the policy lets this request open a WebSocket. */
  webSocket = false
  /** Written by `keys` and `access`: who calls, once a credential has been checked. */
  principal: Principal | undefined = undefined
  /** Written by `limits`: what the buckets of this request say, for its headers. */
  limits: CounterVerdict | undefined = undefined
  /** Written by `access`: lines that go to the upstream in place of any of the same name. */
  upstreamLines: readonly (readonly [name: string, value: string])[] = NO_PAIRS
  /** Written by `lockout` where the request is a guess at a password or a code. */
  signIn: SignIn | undefined = undefined
  /** Written by `request` for bodies whose length is not known before they end; bytes. */
  bodyLimit: number | undefined = undefined
  /** Written by the guard where a control refused or answered the request, by `lockout` where it refused a guess. */
  decision: Decision | undefined = undefined
  /** Set where the guard itself answers: its answer is never taken for the application's. */
  answeredByGuard = false
  /** The nonce of this answer's Content-Security-Policy; made when first asked for. */
  private nonceValue: string | undefined = undefined
  private clientValue: Client | undefined = undefined
  private requestIdValue: string | undefined = undefined
  private traceparentValue: string | undefined = undefined

  constructor(incoming: Incoming, cell: Cell, path: string, target: string) {
    this.incoming = incoming
    this.cell = cell
    this.path = path
    this.target = target
  }

  /** A header's first value by its lower-case name. */
  header(name: string): string | undefined {
    return this.incoming.header(name)
  }

  /** Who calls: what `client` finds out; the peer of the connection where no proxy is declared. */
  get client(): Client {
    this.clientValue ??= this.cell.compiled.identify.client?.(this) ?? new DirectClient(this.incoming)
    return this.clientValue
  }

  /** What declared proxies say of the client's scheme; `unknown` where none is declared. */
  get forwardedScheme(): Scheme {
    // Without declared proxies nothing is forwarded, and the caller need not be looked at.
    return this.cell.compiled.identify.client === undefined ? 'unknown' : this.client.scheme
  }

  /** Made by `client` when first asked for; empty where the policy asks for none. */
  get requestId(): string {
    this.requestIdValue ??= this.cell.compiled.identify.requestId?.(this) ?? ''
    return this.requestIdValue
  }

  /** The W3C trace context to hand on, where the policy asks for one. */
  get traceparent(): string | undefined {
    this.traceparentValue ??= this.cell.compiled.identify.traceparent?.(this)
    return this.traceparentValue
  }

  /** 128 random bits in base64, the same for the whole answer. */
  get nonce(): string {
    this.nonceValue ??= btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
    return this.nonceValue
  }
}
