// What a reporter finds, and what a reviewer reads: security.txt and its fields, the key, the promises, the posture.

import type { Broken, Mutation, Passing } from './mutation.ts'
import { instead } from './mutation.ts'

const TXT = '/.well-known/security.txt'
const KEY = '/.well-known/pgp-key.txt'
const PAGE = '/.well-known/vulnerability-disclosure'
const POSTURE = '/.well-known/api-posture.json'

const FILE: Readonly<Record<string, string>> = {
  Contact: 'mailto:security@shop.example',
  Expires: '2027-11-01T00:00:00.000Z',
  Canonical: 'https://shop.example/.well-known/security.txt',
  Encryption: 'https://shop.example/.well-known/pgp-key.txt',
  Policy: 'https://shop.example/.well-known/vulnerability-disclosure',
}

const file = (changes: Readonly<Record<string, string | undefined>>) =>
  `${Object.entries({ ...FILE, ...changes })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
    .join('\n')}\n`

const gone = ({ lines }: Passing): Broken => ({
  status: 404,
  lines: instead(lines, 'Content-Type', 'application/json'),
  body: '{"error":"not found"}',
})
const says =
  (body: string) =>
  ({ lines }: Passing): Broken => ({ lines, body })

const BREAKS: readonly (readonly [
  name: string,
  path: string,
  from: string,
  answer: (passing: Passing) => Broken,
])[] = [
  ['security-txt/gone', TXT, 'securitytxt.missing', gone],
  ['security-txt/expired', TXT, 'securitytxt.expired', says(file({ Expires: '2026-01-01T00:00:00Z' }))],
  ['security-txt/without-expires', TXT, 'securitytxt.no-expires', says(file({ Expires: undefined }))],
  ['security-txt/without-contact', TXT, 'securitytxt.no-contact', says(file({ Contact: undefined }))],
  [
    'security-txt/another-contact',
    TXT,
    'securitytxt.no-contact',
    says(file({ Contact: 'mailto:x@evil.example' })),
  ],
  [
    'security-txt/another-canonical',
    TXT,
    'securitytxt.canonical',
    says(file({ Canonical: 'https://evil.example/security.txt' })),
  ],
  [
    'security-txt/another-key',
    TXT,
    'disclosure.key',
    says(file({ Encryption: 'https://evil.example/key.txt' })),
  ],
  [
    'security-txt/as-html',
    TXT,
    'securitytxt.content-type',
    ({ lines }) => ({ lines: instead(lines, 'Content-Type', 'text/html; charset=utf-8') }),
  ],
  [
    'security-txt/without-charset',
    TXT,
    'securitytxt.content-type',
    ({ lines }) => ({ lines: instead(lines, 'Content-Type', 'text/plain') }),
  ],
  ['security-txt/a-page', TXT, 'securitytxt.no-contact', says('<!doctype html><title>Shop</title>')],
  ['old-place/gone', '/security.txt', 'securitytxt.missing', gone],
  [
    'old-place/elsewhere',
    '/security.txt',
    'redirect.open',
    ({ lines }) => ({ lines: instead(lines, 'Location', 'https://evil.example/') }),
  ],
  ['key/gone', KEY, 'disclosure.key', gone],
  [
    'key/another',
    KEY,
    'disclosure.key',
    says('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n'),
  ],
  ['page/gone', PAGE, 'disclosure.policy-missing', gone],
  [
    'page/other-promises',
    PAGE,
    'disclosure.policy-differs',
    says('<!doctype html><title>Disclosure</title><p>We answer within 500 hours.</p>'),
  ],
  ['posture/gone', POSTURE, 'drift.posture', gone],
  ['posture/another-policy', POSTURE, 'drift.posture', says(`{"policyDigest":"sha-256:${'0'.repeat(64)}"}`)],
  ['posture/unreadable', POSTURE, 'drift.posture', says('<!doctype html>')],
  ['posture-page/gone', '/.well-known/posture', 'drift.posture', gone],
]

/** The mutations. */
export function disclosureMutations(): readonly Mutation[] {
  return [
    ...BREAKS.map(
      ([name, path, from, change]): Mutation => ({
        id: `disclosure/${name}`,
        subject: 'rich',
        controls: ['disclosure'],
        from,
        answer: (passing) =>
          passing.path.split('?', 1)[0] === path && passing.method === 'GET' && passing.status < 400
            ? change(passing)
            : undefined,
      }),
    ),
    {
      id: 'disclosure/posture/shown-though-not-declared',
      subject: 'app',
      controls: ['disclosure'],
      from: 'drift.posture',
      answer: ({ path, method, lines }) =>
        path === POSTURE && method === 'GET'
          ? {
              status: 200,
              lines: instead(lines, 'Content-Type', 'application/json'),
              body: '{"policyDigest":"sha-256:00"}',
            }
          : undefined,
    },
  ]
}
