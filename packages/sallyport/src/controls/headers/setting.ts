// `headers`: the fixed security headers, and the headers that are deliberately not set.

import { MODES } from '../../guard/control.ts'
import { either, type Infer, list, not, object, oneOf, record, text } from '../../policy/schema.ts'
import { CSP_DIRECTIVES } from './csp.ts'
import { STRIPPED } from './stripped.ts'

const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'same-origin',
  'origin',
  'strict-origin',
  'origin-when-cross-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
] as const

const cspSchema = record(
  {
    pattern: new RegExp(`^(?:${CSP_DIRECTIVES.join('|')})$`),
    expected: 'a directive of Content-Security-Policy',
    mend: 'write one such as default-src, script-src or frame-ancestors',
  },
  list(
    text(
      {
        pattern: /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]{1,512}$/,
        expected: 'one source expression',
        mend: "write 'none', 'self', 'nonce' (filled per answer) or a host, one in each item",
      },
      "A source expression or token; 'nonce' is filled with a fresh nonce for each answer.",
    ),
    'The values of the directive.',
    { max: 100 },
  ),
  'Content-Security-Policy directives (W3C CSP Level 3).',
)

const noHeader = not('Deliberately not sent; an application’s own is removed.')

/** A setting that is a value, or `false` for "deliberately not sent". Left out: the application decides. */
function header<const T extends string>(words: readonly T[], doc: string) {
  return either([noHeader, oneOf(words, doc)], doc)
}

export const headersSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    contentTypeOptions: header(['nosniff'], 'X-Content-Type-Options.'),
    frameOptions: header(['DENY', 'SAMEORIGIN'], 'X-Frame-Options (RFC 7034).'),
    referrerPolicy: either(
      [
        noHeader,
        list(oneOf(REFERRER_POLICIES, 'A policy.'), 'Policies, the one meant last (fallbacks first).', {
          min: 1,
        }),
      ],
      'Referrer-Policy.',
    ),
    dnsPrefetchControl: header(['off', 'on'], 'X-DNS-Prefetch-Control.'),
    contentSecurityPolicy: either([noHeader, cspSchema], 'Content-Security-Policy.'),
    contentSecurityPolicyReportOnly: either([noHeader, cspSchema], 'Content-Security-Policy-Report-Only.'),
    permissionsPolicy: either(
      [
        noHeader,
        record(
          {
            pattern: /^[a-z][a-z0-9-]{0,63}$/,
            expected: 'a feature',
            mend: 'write a feature such as camera',
          },
          list(
            text(
              {
                pattern: /^(?:\*|self|https:\/\/(?:\*\.)?[\w.-]{1,253}(?::\d{1,5})?)$/,
                expected: '"*", "self" or an https origin',
                mend: 'write [] to switch the feature off, ["self"], or ["https://app.example"]',
              },
              'Who may use the feature.',
            ),
            'Who may use the feature; an empty list switches it off.',
          ),
          'Features and who may use them.',
        ),
      ],
      'Permissions-Policy.',
    ),
    crossOriginResourcePolicy: header(
      ['same-origin', 'same-site', 'cross-origin'],
      'Cross-Origin-Resource-Policy.',
    ),
    crossOriginOpenerPolicy: header(
      ['same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'],
      'Cross-Origin-Opener-Policy.',
    ),
    crossOriginEmbedderPolicy: header(
      ['require-corp', 'credentialless', 'unsafe-none'],
      'Cross-Origin-Embedder-Policy.',
    ),
    originAgentCluster: header(['?1', '?0'], 'Origin-Agent-Cluster.'),
    permittedCrossDomainPolicies: header(['none', 'master-only'], 'X-Permitted-Cross-Domain-Policies.'),
    reportingEndpoints: either(
      [
        noHeader,
        record(
          {
            pattern: /^[a-z*][a-z0-9_.*-]{0,63}$/,
            expected: 'an endpoint name',
            mend: 'write a name of small letters',
          },
          text(
            {
              pattern: /^https:\/\/[\x21\x23-\x5b\x5d-\x7e]+$/,
              expected: 'an https URL',
              mend: 'write "https://reports.example/csp"',
            },
            'Where reports go.',
          ),
          'Endpoint names and URLs.',
        ),
      ],
      'Reporting-Endpoints.',
    ),
    strip: either(
      [
        not('Nothing is removed.'),
        record(
          {
            pattern: /^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/,
            expected: 'a header name in small letters',
            mend: 'write the name in small letters, such as x-powered-by',
          },
          either(
            [
              not('Not removed after all, where a lower layer would.'),
              text(
                { max: 500, expected: 'the reason', mend: 'say in one sentence why it is not sent' },
                'Why it is not sent.',
              ),
            ],
            'Why it is not sent.',
          ),
          'Names and reasons.',
        ),
      ],
      'Headers that are never sent, each with the reason; an application’s or upstream’s are removed.',
    ),
  },
  'Security headers on every answer.',
)

export type HeadersSetting = Infer<typeof headersSchema>

/** Where the policy says nothing, every header is the application's, but for what is left out on purpose. */
export const headersDefaults: HeadersSetting = { strip: STRIPPED }

/** The names that are removed, in small letters. */
export function strippedNames(setting: HeadersSetting): readonly string[] {
  return Object.entries(setting.strip || {}).flatMap(([name, reason]) => (reason === false ? [] : [name]))
}
