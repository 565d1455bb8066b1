// The vocabulary of findings: what every probe, grade and verification may find, how bad it is, and which requirement
// it is about. Severity is the default; a finding in a lesser place may say another.

/** From harmless to an open door. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One word of the vocabulary. */
export interface FindingKind {
  readonly id: string
  readonly severity: Severity
  readonly meaning: string
  /** Requirement ids: `ASVS 3.4.1` (5.0.0), `PCI 11.6.1` (4.0.1), `RFC 9110 5.3`, NIST 800-53 without a prefix. */
  readonly standards: readonly string[]
}

// id | severity | meaning | standards
const COMMON = `
hsts.missing | medium | HTTPS response without Strict-Transport-Security | ASVS 3.4.1, WSTG-CONF-07
hsts.short-max-age | low | max-age under one year (raise to medium under six months) | ASVS 3.4.1
hsts.disabled | high | max-age=0 tells browsers to forget the host | ASVS 3.4.1
hsts.no-subdomains | low | includeSubDomains absent | ASVS 3.4.1 (L2)
hsts.preload-inconsistent | medium | preload token present but list prerequisites (one year and includeSubDomains) are not met | ASVS 3.7.4
hsts.malformed | medium | value cannot be parsed under RFC 6797 grammar, so browsers ignore it | ASVS 3.4.1
hsts.duplicate | low | field sent more than once; only the first is processed | RFC 6797 8.1
hsts.over-http | info | sent on a cleartext response, where it must be ignored | RFC 6797 7.2
http.cleartext | high | API answers with content over plain HTTP | ASVS 12.2.1, API8:2023
http.api-redirect | low | non-browser API endpoint silently redirects HTTP to HTTPS instead of refusing | ASVS 4.1.2
redirect.downgrade | high | HTTPS response redirects to an http: location | ASVS 12.2.1
redirect.http-hop | medium | redirect chain passes through another http: hop before HTTPS | ASVS 12.2.1
redirect.open | high | Location host comes from a request parameter | ASVS 3.7.2
redirect.secret-in-url | high | token or key in the query of a Location | ASVS 14.2.1
tls.legacy | high | TLS 1.0 or 1.1 accepted | ASVS 12.1.1, PCI 4.2.1
tls.no-13 | info | TLS 1.3 not offered | ASVS 12.1.1
tls.cert-expired | critical | certificate past notAfter | ASVS 12.2.2
tls.cert-expiring | medium | certificate has less than 14 days left | ASVS 12.2.2
tls.cert-host | critical | certificate does not cover the host name | ASVS 12.2.2
xcto.missing | low | X-Content-Type-Options absent | ASVS 3.4.4
xcto.invalid | low | value other than nosniff | ASVS 3.4.4
ctype.missing | medium | response has a body and no Content-Type | ASVS 4.1.1
ctype.mismatch | high | body is JSON built from request data but labelled text/html | ASVS 4.1.1, ASVS 3.2.1
ctype.no-charset | low | text/* without charset | ASVS 4.1.1
csp.missing | medium | HTML document without an enforced CSP (low on a JSON API response) | ASVS 3.4.3
csp.report-only | medium | only a Report-Only policy is sent | ASVS 3.4.3
csp.unsafe-inline | high | script source list allows unsafe-inline with no nonce or hash to cancel it | ASVS 3.4.3
csp.unsafe-eval | medium | script source list allows unsafe-eval | ASVS 3.4.3
csp.wildcard | high | script or object source list allows *, https:, http: or data: | ASVS 3.4.3
csp.http-source | medium | cleartext source on an HTTPS page | ASVS 3.4.3
csp.no-base-uri | medium | HTML policy without base-uri (it has no fallback) | ASVS 3.4.3
csp.no-object-src | medium | neither object-src nor default-src restricts plugins | ASVS 3.4.3
csp.no-frame-ancestors | medium | no frame-ancestors in the enforced policy | ASVS 3.4.6
csp.unknown-directive | medium | misspelt or unknown directive, so the intent is not enforced | ASVS 3.4.3
csp.static-nonce | high | the same nonce value on two responses | ASVS 3.4.3
csp.legacy-header | low | X-Content-Security-Policy or X-WebKit-CSP only | ASVS 3.4.3
framing.missing | medium | neither frame-ancestors nor a valid X-Frame-Options (low on JSON) | ASVS 3.4.6
xfo.invalid | medium | X-Frame-Options value browsers ignore (ALLOWALL, ALLOW-FROM, junk, conflicting list) | ASVS 3.4.6
referrer.unsafe | medium | policy that sends full URLs across origins | ASVS 3.4.5
referrer.missing | info | no Referrer-Policy (browser default applies) | ASVS 3.4.5
referrer.invalid | low | no recognised token | ASVS 3.4.5
permissions.invalid | low | old Feature-Policy syntax or unparsable structured field | OSHP
permissions.wildcard | low | a powerful feature is granted to every origin | OSHP
coop.missing | info | HTML document without COOP | ASVS 3.4.8
corp.invalid | low | value outside same-origin, same-site, cross-origin | ASVS 3.5.8
cache.private-missing | medium | authenticated response without Cache-Control | ASVS 14.3.2, API8:2023
cache.private-storable | high | authenticated response that shared caches may store | ASVS 14.2.2
cache.private-browser | low | authenticated response the browser may keep (private with lifetime) | ASVS 14.3.2
cache.set-cookie | high | publicly cacheable response that sets a cookie | ASVS 14.2.2
cache.conflict | low | directives that contradict each other (no-store with public or max-age) | RFC 9111
cache.error-cacheable | medium | error response with a public lifetime | ASVS 14.2.5
cache.stream | low | event stream without no-cache or no-store | RFC 9111
cors.reflect-credentials | critical | any Origin is echoed with credentials allowed | ASVS 3.4.2, CWE-942
cors.reflect | medium | any Origin is echoed without credentials | ASVS 3.4.2
cors.null-origin | high | Origin: null is accepted with credentials (medium without) | ASVS 3.4.2
cors.lax-match | high | an attacker-registrable look-alike origin is accepted (suffix, prefix or unescaped dot) | ASVS 3.4.2
cors.http-origin | medium | an http: origin is accepted by an HTTPS API with credentials | ASVS 3.4.2
cors.wildcard-credentials | low | * with Allow-Credentials: true; browsers refuse it, so it is a broken config | Fetch
cors.wildcard-private | medium | * on a response that carries caller-private data | ASVS 3.4.2
cors.vary-missing | medium | per-origin ACAO on a cacheable response without Vary: Origin | RFC 9110 12.5.5
cors.multiple-origins | medium | more than one value in Access-Control-Allow-Origin | Fetch
cors.max-age | info | preflight lifetime above the 24 h browser cap | Fetch
cors.literal-star | low | * in methods, headers or expose list together with credentials (matched literally) | Fetch
cookie.no-secure | high | session cookie without Secure (medium otherwise) | ASVS 3.3.1
cookie.no-httponly | high | session cookie without HttpOnly | ASVS 3.3.4
cookie.no-samesite | low | no SameSite attribute | ASVS 3.3.2
cookie.samesite-none | medium | session cookie with SameSite=None | ASVS 3.3.2
cookie.rejected | medium | browser drops the cookie: None without Secure, or a prefix rule broken | RFC 6265bis
cookie.no-prefix | low | session cookie without __Host- or __Secure- | ASVS 3.3.1, ASVS 3.3.3
cookie.broad-domain | low | session cookie with a Domain attribute | ASVS 3.3.3
cookie.long-lived | low | session cookie kept over 30 days | ASVS 7.3.2
cookie.oversize | low | name plus value over 4096 bytes | ASVS 3.3.5
leak.server-version | low | Server discloses a version | ASVS 13.4.6
leak.framework | low | X-Powered-By, X-AspNet-Version, X-Generator and the like | ASVS 13.4.6, OSHP remove list
leak.debug-header | medium | debug header such as X-Debug-Token or X-ChromeLogger-Data | ASVS 13.4.2
leak.internal-host | low | internal host or backend name in a header | OSHP remove list
leak.private-ip | low | RFC 1918 address in a header or body | ZAP 2
leak.error-detail | high | stack trace, SQL text, file path or secret in a body | ASVS 16.5.1, A10:2025
method.trace | medium | TRACE echoes the request | ASVS 13.4.4
ratelimit.no-retry-after | low | 429 or 503 from a limiter without Retry-After | RFC 6585
ratelimit.inconsistent | low | limit headers contradict each other | draft ratelimit headers
auth.no-challenge | info | 401 without WWW-Authenticate | RFC 9110 15.5.2
auth.basic-cleartext | high | Basic challenge on http: | ASVS 12.2.1
securitytxt.missing | low | no /.well-known/security.txt | RFC 9116
securitytxt.expired | medium | Expires in the past | RFC 9116
securitytxt.no-expires | medium | Expires absent | RFC 9116
securitytxt.no-contact | medium | Contact absent | RFC 9116
securitytxt.content-type | low | not text/plain with utf-8 | RFC 9116
securitytxt.canonical | low | Canonical does not list the URL it was fetched from | RFC 9116
header.deprecated | info | HPKP, Expect-CT, X-XSS-Protection: 1, Feature-Policy, P3P, Pragma | OSHP
header.conflict | medium | same security header twice with different values | RFC 9110 5.3
drift.header-missing | high | declared header absent from this response | CM-6(1), PCI 11.6.1
drift.header-value | high | declared header present with a weaker or different value | CM-6(1), PCI 11.6.1
drift.header-extra | medium | header the policy says is removed is present | CM-6(1)
drift.cache | high | Cache-Control differs from the declared value for this path | CM-6(1)
drift.cors | high | observed CORS behaviour differs from the declared allow-list | CM-6(1)
drift.cookie | high | cookie attributes differ from the declared ones | CM-6(1)
drift.ratelimit | medium | advertised limit differs from the declared plan | CM-6(1)
drift.error-shape | medium | error body is not the declared problem format | CM-6(1)
`

// What an audit of a database may find: sallyport tenancy check.
const TENANCY = `
tenancy.rls-off | critical | row-level security of a tenant table is off | ASVS 8.4.1, API1:2023
tenancy.rls-not-forced | medium | row-level security does not bind the owner of a tenant table | ASVS 8.4.1
tenancy.partition-open | high | a partition may be asked directly, where its parent's policies do not hold | ASVS 8.4.1
tenancy.inheritance | high | tenant rows are seen through a parent table without their policies | ASVS 8.4.1
tenancy.foreign-table | high | a foreign table with tenant rows, which can have no policies | ASVS 8.4.1
tenancy.table-unscoped | high | rows that belong to a tenant's row, in a table without a tenant column | ASVS 8.4.1
tenancy.policy-open | critical | a policy that is true for every row | ASVS 8.4.1, API1:2023
tenancy.policy-switch | high | a policy that a setting opens, which whoever queries can make | ASVS 8.4.1
tenancy.policy-setting | high | a policy that compares the tenant column with another setting | ASVS 8.4.1
tenancy.policy-column | high | a policy that compares another column with the tenant | ASVS 8.4.1
tenancy.policy-unbound | high | a policy that can be true of another tenant's row | ASVS 8.4.1
tenancy.policy-store | high | a policy that holds rows to the organisation, not to the store | ASVS 8.4.1
tenancy.policy-other-role | medium | a policy that opens other tenants' rows to another role | ASVS 8.4.1
tenancy.check-open | high | a policy that takes rows for another tenant | ASVS 8.4.1
tenancy.check-implicit | info | a policy without WITH CHECK, so that USING decides what is written | ASVS 8.4.1
tenancy.role-superuser | critical | the application's role is a superuser | ASVS 8.4.1, AC-6
tenancy.role-bypass | critical | the application's role has BYPASSRLS | ASVS 8.4.1, AC-6
tenancy.role-owner | high | the application's role owns tenant tables | ASVS 8.4.1, AC-6
tenancy.role-member | high | the application's role may become one that the policies do not bind | ASVS 8.4.1, AC-6
tenancy.role-create | high | the application's role has CREATEROLE | ASVS 8.4.1, AC-6
tenancy.role-replication | high | the application's role has REPLICATION | ASVS 8.4.1, AC-6
tenancy.role-missing | high | no role of the application is bound by the policies | ASVS 8.4.1, AC-6
tenancy.role-setting | high | sessions of the application begin as a role that the policies do not bind | ASVS 8.4.1
tenancy.default-tenant | high | a tenant is set for every session of a role or a database | ASVS 8.4.1
tenancy.row-security-off | low | row_security is off, so that filtered queries fail | ASVS 8.4.1
tenancy.view-definer | high | a view shows tenant rows by the rights of its owner | ASVS 8.4.1
tenancy.materialised-view | high | a materialised view of tenant rows that the application reads | ASVS 8.4.1
tenancy.function-definer | high | a function that runs as a role that the policies do not bind | ASVS 8.4.1
tenancy.function-search-path | medium | a SECURITY DEFINER function without a search_path | ASVS 8.4.1, CWE-426
tenancy.function-tenant | medium | a function that sets the tenant itself | ASVS 8.4.1
tenancy.function-leakproof | medium | a function of the application that is marked leakproof | ASVS 8.4.1
tenancy.trigger-definer | medium | a trigger that runs as a role that the policies do not bind | ASVS 8.4.1
tenancy.key-without-tenant | medium | a primary or unique key that tells whether another tenant has a value | ASVS 8.4.1, CWE-203
tenancy.foreign-key | high | a foreign key that can refer to another tenant's row | ASVS 8.4.1
tenancy.sequence-readable | low | a counter of all tenants' rows that the application reads | ASVS 8.4.1
tenancy.public-grant | medium | everybody who logs in has rights on a tenant table | ASVS 8.4.1, AC-6
tenancy.grant-truncate | high | the application may truncate a tenant table | ASVS 8.4.1, AC-6
tenancy.grant-references | medium | the application may refer to a tenant table by foreign keys | ASVS 8.4.1, AC-6
tenancy.grant-trigger | medium | the application may put triggers on a tenant table | ASVS 8.4.1, AC-6
tenancy.schema-create | medium | the application may make objects beside the tenant tables | ASVS 8.4.1, AC-6
tenancy.default-grant | medium | new tables give rights that no policy binds, or give them to everybody | ASVS 8.4.1, AC-6
tenancy.publication | low | a publication sends every tenant's changes to its subscribers | ASVS 8.4.1
`

// What a look at a PostgreSQL server may find: sallyport backup check.
const BACKUP = `
backup.archive-off | high | the log of the database is not archived, so no moment can be brought back | CP-9, CP-10
backup.archive-failing | critical | archiving the log of the database fails | CP-9, CP-10
backup.archive-behind | high | the archive lags behind the log of the database | CP-9
backup.archive-slow | medium | a quiet server archives its changes after hours | CP-9
backup.archive-gap | critical | a part of the log is missing in the archive | CP-9, CP-10
backup.base-old | high | the last base backup is too old | CP-9
backup.base-damaged | critical | the base backup is not whole | CP-9, CP-10
backup.base-foreign | high | the base backup is of another server | CP-9
backup.base-unseen | info | no base backup was looked at | CP-9
backup.replica | info | a replica does not know whether the log is archived | CP-9
backup.not-durable | critical | a power cut can leave a database that does not open | CP-9, SI-7
backup.checksums-off | medium | damaged pages are copied into backups unseen | CP-9, SI-7
backup.transit | high | the connection to the database is not encrypted | ASVS 12.3.3, SC-8
`

// What the common vocabulary has no word for.
const OWN = `
disclosure.key | medium | the key for reports is missing or another one | RFC 9116
disclosure.policy-missing | low | the declared disclosure policy is not served | RFC 9116
disclosure.policy-differs | low | the disclosure policy promises something else than the declared one | RFC 9116
drift.request | high | a request that the policy refuses is not refused, or otherwise than declared | CM-6(1), SI-10
drift.access | critical | a request without a valid credential is let in where the policy requires one | ASVS 8.2.1, API2:2023, AC-3
tenancy.foreign-row | critical | a caller is answered with what belongs to another organisation, or may change it | ASVS 8.2.2, ASVS 8.4.1, API1:2023, AC-3
tenancy.not-refused | medium | a request for another organisation's object is not refused, though nothing of it is told | ASVS 8.2.2, API1:2023
tenancy.owner-refused | low | the owner of a named object is not let in, so nothing is proved by refusing others | ASVS 8.2.2
drift.keys | high | an API key that the policy refuses is not refused, or otherwise than declared | CM-6(1), API2:2023
drift.posture | low | the published posture is not that of the policy, or is shown to others than declared | CM-6(1)
drift.tls | high | a TLS version is spoken that the policy excludes, or a declared one is not | ASVS 12.1.1, PCI 4.2.1
tls.untrusted | critical | the certificate is not one that clients trust | ASVS 12.2.2
answer.malformed | medium | lines of the head break the grammar, so programs read different answers | RFC 9112
verify.unreachable | high | a replica of the service gave no answer at all | CM-6(1)
`

function read(table: string): readonly FindingKind[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', severity = '', meaning = '', standards = ''] = line.split(' | ')
      return { id, severity: severity as Severity, meaning, standards: standards.split(', ') }
    })
}

/** Every kind of finding, by its id. */
export const findingKinds: ReadonlyMap<string, FindingKind> = new Map(
  [...read(COMMON), ...read(TENANCY), ...read(BACKUP), ...read(OWN)].map((kind) => [kind.id, kind]),
)

/** The kind of an id; one that nobody declared is a mistake of ours, and is shown as such. */
export function findingKind(id: string): FindingKind {
  return findingKinds.get(id) ?? { id, severity: 'medium', meaning: id, standards: [] }
}
