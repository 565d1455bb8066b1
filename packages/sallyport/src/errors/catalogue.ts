// The one catalogue of error codes: types, problem pages and docs come from it.

/** One code of the catalogue. */
export interface CatalogueEntry {
  readonly status: number
  readonly title: string
  /** Why a caller meets it. */
  readonly cause: string
  /** What the caller does about it. */
  readonly mend: string
  /** Whether the same request may be sent again. */
  readonly retry: 'no' | 'yes' | 'after-change' | 'after-delay'
}

const entries = {
  malformed_request: {
    status: 400,
    title: 'The request could not be read',
    cause:
      'The bytes sent are not a well-formed HTTP request: the request line, a header or the body framing breaks the grammar of RFC 9112.',
    mend: 'Send the request with a current HTTP client library instead of building it by hand.',
    retry: 'after-change',
  },
  host_invalid: {
    status: 400,
    title: 'The Host header is missing or wrong',
    cause:
      'HTTP/1.1 asks for exactly one Host header with a valid host name and port (RFC 9112, section 3.2).',
    mend: 'Send one Host header; check proxies that add a second one.',
    retry: 'after-change',
  },
  duplicate_header: {
    status: 400,
    title: 'A header that may stand once was sent twice',
    cause:
      'Two lines of a header such as Authorization or Content-Type let two programs read two different requests.',
    mend: 'Send the header once.',
    retry: 'after-change',
  },
  ambiguous_framing: {
    status: 400,
    title: 'The length of the body is ambiguous',
    cause:
      'Content-Length and Transfer-Encoding were combined, repeated, or used in a form that programs read differently (request smuggling).',
    mend: 'Send either one Content-Length or "Transfer-Encoding: chunked".',
    retry: 'after-change',
  },
  header_not_allowed: {
    status: 400,
    title: 'A header is not accepted here',
    cause:
      'The header names an option or has a form that must not pass this point, such as a Connection option other than close and keep-alive.',
    mend: 'Leave the header out.',
    retry: 'after-change',
  },
  target_invalid: {
    status: 400,
    title: 'The request target is not accepted',
    cause: 'The target is not a path with an optional query in the characters of RFC 3986.',
    mend: 'Percent-encode the characters that a URL may not hold.',
    retry: 'after-change',
  },
  path_not_canonical: {
    status: 400,
    title: 'The path is not in canonical form',
    cause:
      'Dot segments, empty segments, encoded separators or needless escapes let two programs read two different paths.',
    mend: 'Send the path as the documentation spells it, with %XX in capitals and only where needed.',
    retry: 'after-change',
  },
  version_not_supported: {
    status: 505,
    title: 'The HTTP version is not supported',
    cause: 'Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here.',
    mend: 'Use HTTP/1.1 or HTTP/2.',
    retry: 'after-change',
  },
  unauthenticated: {
    status: 401,
    title: 'Credentials are required',
    cause: 'The request carries no credential that is valid here.',
    mend: 'Send a valid credential.',
    retry: 'after-change',
  },
  forbidden: {
    status: 403,
    title: 'This is not allowed',
    cause: 'The credential is valid but does not allow this request.',
    mend: 'Ask for a credential that does.',
    retry: 'no',
  },
  origin_not_allowed: {
    status: 403,
    title: 'This origin may not call this path',
    cause:
      'A browser asked, by a CORS preflight or for a WebSocket, whether a page of this origin may call; the policy does not list the origin.',
    mend: 'Call from a listed origin, or from a server with a bearer credential.',
    retry: 'no',
  },
  https_required: {
    status: 403,
    title: 'HTTPS is required',
    cause: 'The request came over plain HTTP. A credential sent with it must be taken as exposed.',
    mend: 'Use https:// and replace the credential that was sent in clear.',
    retry: 'no',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    cause: 'No resource answers to this path.',
    mend: 'Check the path against the documentation.',
    retry: 'no',
  },
  method_not_allowed: {
    status: 405,
    title: 'The method is not allowed here',
    cause: 'The path does not take this method, or the method is never accepted (TRACE, TRACK, CONNECT).',
    mend: 'Use a method that the Allow header names.',
    retry: 'after-change',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    cause: 'The head or the body was not complete within the time allowed.',
    mend: 'Send the request again over a better connection.',
    retry: 'yes',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    cause: 'The body is longer than this path accepts.',
    mend: 'Send less, or in several requests.',
    retry: 'after-change',
  },
  target_too_long: {
    status: 414,
    title: 'The request target is too long',
    cause: 'Path and query together exceed the limit.',
    mend: 'Move parameters into the body.',
    retry: 'after-change',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type is not accepted',
    cause: 'The Content-Type of the body is not one that this path reads.',
    mend: 'Send a media type that the documentation names.',
    retry: 'after-change',
  },
  expectation_failed: {
    status: 417,
    title: 'The expectation cannot be met',
    cause: 'Only "Expect: 100-continue" is understood (RFC 9110, section 10.1.1).',
    mend: 'Leave the Expect header out.',
    retry: 'after-change',
  },
  request_refused: {
    status: 422,
    title: 'The request cannot be fulfilled as it is',
    cause: 'The application refused the request with a status that has no code of its own here.',
    mend: 'Read the documentation of the path and change the request.',
    retry: 'after-change',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    cause: 'The limit for this caller is used up.',
    mend: 'Wait for the time that Retry-After names.',
    retry: 'after-delay',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    cause: 'The request head has too many or too long header fields.',
    mend: 'Send fewer and shorter headers; cookies are the usual reason.',
    retry: 'after-change',
  },
  internal: {
    status: 500,
    title: 'The server could not answer',
    cause: 'Something failed on our side. The request id leads us to the reason.',
    mend: 'Try again later; name the request id when you ask about it.',
    retry: 'yes',
  },
  not_implemented: {
    status: 501,
    title: 'The method is not known',
    cause: 'The request method is not one of HTTP that is spoken here.',
    mend: 'Use a standard method.',
    retry: 'after-change',
  },
  upstream_failed: {
    status: 502,
    title: 'The service behind the gateway gave no valid answer',
    cause: 'The upstream closed the connection, or answered something that is not HTTP.',
    mend: 'Try again; a request that changes something may have been carried out.',
    retry: 'yes',
  },
  unavailable: {
    status: 503,
    title: 'The service is not available now',
    cause: 'It is starting, stopping, or out of capacity.',
    mend: 'Try again after the time that Retry-After names.',
    retry: 'after-delay',
  },
  upstream_timeout: {
    status: 504,
    title: 'The service behind the gateway took too long',
    cause: 'The upstream did not answer within the time allowed.',
    mend: 'Try again; a request that changes something may have been carried out.',
    retry: 'yes',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'More than one credential was sent',
    cause: 'The request shows two credentials, and two programs could take it for two different callers.',
    mend: 'Send one credential: a key or a token in Authorization, or the session cookie.',
    retry: 'after-change',
  },
  credential_in_url: {
    status: 400,
    title: 'A credential stood in the URL',
    cause:
      'URLs are written to logs and histories. The credential must be taken as exposed; where it is a key of ours, its owner is told.',
    mend: 'Send it in the Authorization header, and rotate the one that was sent.',
    retry: 'no',
  },
  invalid_credential: {
    status: 401,
    title: 'The credential is not valid',
    cause: 'It is malformed, unknown, expired, revoked, or meant for another service or environment.',
    mend: 'Send a current credential; GET /v1/account answers for one that works.',
    retry: 'after-change',
  },
  step_up_required: {
    status: 401,
    title: 'A fresher or stronger sign-in is required',
    cause: 'The path asks for a recent sign-in or for a second factor (RFC 9470).',
    mend: 'Sign in again as WWW-Authenticate says.',
    retry: 'after-change',
  },
  insufficient_scope: {
    status: 403,
    title: 'The credential does not reach this far',
    cause:
      'A scope is missing, either of the credential or of whoever it belongs to (RFC 6750, section 3.1).',
    mend: 'Use a credential with the scopes that WWW-Authenticate names.',
    retry: 'after-change',
  },
  secret_key_in_browser: {
    status: 403,
    title: 'A secret key was used from a browser',
    cause: 'The request carries an Origin header, so whoever opens that page can read the key.',
    mend: 'Use a publishable key in browsers, and rotate the secret key that was sent.',
    retry: 'no',
  },
  publishable_key_not_allowed: {
    status: 403,
    title: 'A publishable key does not open this',
    cause:
      'Publishable keys reach only what is declared for them: the path, the method, the origin of the page.',
    mend: 'Call from a listed origin, or use a secret key on a server.',
    retry: 'after-change',
  },
  address_not_allowed: {
    status: 403,
    title: 'The credential may not be used from this address',
    cause: 'Its list of networks does not hold the address from which the request came.',
    mend: 'Call from a listed network, or have the list changed.',
    retry: 'after-change',
  },
  locked_out: {
    status: 429,
    title: 'Too many failed attempts',
    cause:
      'Attempts for this account or from this address have failed too often; right and wrong ones are refused alike.',
    mend: 'Wait for the time that Retry-After names, or recover the account.',
    retry: 'after-delay',
  },
  challenge_required: {
    status: 403,
    title: 'A challenge has to be solved first',
    cause:
      'Many sign-ins fail here at the moment, and this browser has not signed in with this name before. The same is asked for every name, whether it is known or not, and whatever the password is.',
    mend: 'Solve what the member "challenge" names, and send the request again with the answer in Challenge-Answer; solveChallenge of sallyport/challenge does it.',
    retry: 'after-change',
  },
  too_many_failures: {
    status: 429,
    title: 'Too many requests with bad credentials',
    cause: 'Too many requests from this address showed credentials that are not valid.',
    mend: 'Wait for the time that Retry-After names and check the credential.',
    retry: 'after-delay',
  },
  credentials_unavailable: {
    status: 503,
    title: 'Credentials cannot be checked now',
    cause: 'The place that knows them does not answer, and nobody is let in unchecked.',
    mend: 'Try again after the time that Retry-After names.',
    retry: 'after-delay',
  },
  limits_unavailable: {
    status: 503,
    title: 'The request cannot be counted now',
    cause: 'The place that counts does not answer, and this path is closed while it does not.',
    mend: 'Try again after the time that Retry-After names.',
    retry: 'after-delay',
  },
  overloaded: {
    status: 503,
    title: 'The service is at its limit',
    cause: 'Less important requests are refused first while the service is overloaded.',
    mend: 'Try again after the time that Retry-After names.',
    retry: 'after-delay',
  },
  body_malformed: {
    status: 400,
    title: 'The body is not readable as JSON',
    cause:
      'It is no JSON text in UTF-8, or an object in it has one name twice, which programs read differently.',
    mend: 'Write the body with a JSON library.',
    retry: 'after-change',
  },
  input_invalid: {
    status: 422,
    title: 'What was sent does not have the form asked for',
    cause:
      'A member of the body, a parameter or a header is missing, unknown or of another form; "errors" names each with a pointer (RFC 6901) or its name, and a code.',
    mend: 'Change what "errors" names.',
    retry: 'after-change',
  },
  rights_exceeded: {
    status: 403,
    title: 'More rights were asked for than the caller has',
    cause:
      'Nobody makes or changes a key that can do more than he can do himself at that moment: scopes, plan, networks, expiry, store; "errors" names what is too much.',
    mend: 'Ask for less, or with a credential that may do more.',
    retry: 'after-change',
  },
  request_repeated: {
    status: 409,
    title: 'This request was carried out before',
    cause:
      'A request with this Idempotency-Key was carried out; "key" is the id of the key that it made or rotated. The text of a key is given out once and not kept.',
    mend: 'Use the key that the first answer held; where that is lost, rotate the key named here under another Idempotency-Key.',
    retry: 'no',
  },
  key_ended: {
    status: 409,
    title: 'The key has ended',
    cause: 'It is revoked or expired, or somebody else rotated it in the same moment.',
    mend: 'Look at the key; make a new one where it has ended.',
    retry: 'no',
  },
} satisfies Record<string, CatalogueEntry>

/** A stable code, safe for programs to decide on. */
export type ErrorCode = keyof typeof entries

/** Every code with its status, title, cause and mend. */
export const catalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = entries

// What they say of a status is more than a bare status says.
const NEVER_BARE: ReadonlySet<ErrorCode> = new Set(['request_repeated', 'key_ended'])
const BY_STATUS = new Map<number, ErrorCode>()
for (const code of Object.keys(entries) as ErrorCode[])
  if (!NEVER_BARE.has(code) && !BY_STATUS.has(entries[code].status)) BY_STATUS.set(entries[code].status, code)

/** The code that says what a bare status says. */
export function codeForStatus(status: number): ErrorCode {
  if (status === 400) return 'malformed_request'
  return BY_STATUS.get(status) ?? (status >= 500 ? 'internal' : 'request_refused')
}
