// The bodies of errors: leaking, without the declared form, or saying something that is not so.

import type { Broken, Mutation, Passing } from './mutation.ts'
import { instead, without } from './mutation.ts'

const STACK = `TypeError: Cannot read properties of undefined (reading 'id')
    at createOrder (/srv/app/src/orders.ts:42:17)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`

// What the guard itself has written; its form is certain.
const OWN_KINDS = ['error', '413', '431', '417', 'parser', 'refused-method', 'preflight-denied'] as const

// name, media type, body, the word of the catalogue.
const BODIES: readonly (readonly [name: string, type: string, body: string, from: string])[] = [
  ['stack', 'text/plain; charset=utf-8', STACK, 'leak.error-detail'],
  [
    'html',
    'text/html; charset=utf-8',
    '<!doctype html><title>Error</title><h1>Bad</h1>',
    'drift.error-shape',
  ],
  ['other-json', 'application/json', '{"error":"something went wrong"}', 'drift.error-shape'],
  ['empty', '', '', 'drift.error-shape'],
]

const LEAKS: readonly (readonly [name: string, detail: string])[] = [
  ['stack-in-json', STACK],
  ['sql', 'duplicate key value violates unique constraint "users_email_key"'],
  ['path', "ENOENT: no such file or directory, open '/srv/app/config/production.json'"],
  ['dsn', 'could not connect to postgres://root:hunter2@10.0.0.1/prod'],
  ['key', 'invalid key sk_live_51H8aZKl2eZvKYlo2C0aBcDeFgHiJkLmNoP'],
]

const problemBody = (status: number, extra: object) =>
  JSON.stringify({ type: 'about:blank', title: 'Error', status, code: 'internal_error', ...extra })

function bodyOn(kind: string, type: string, body: string | ((status: number) => string)) {
  return ({ kind: seen, lines, status, method }: Passing): Broken | undefined => {
    if (seen !== kind || method === 'HEAD') return undefined
    return {
      lines: type === '' ? without(lines, 'Content-Type') : instead(lines, 'Content-Type', type),
      body: typeof body === 'string' ? body : body(status),
    }
  }
}

/** The mutations. */
export function errorMutations(): readonly Mutation[] {
  const of = (
    id: string,
    from: string,
    answer: NonNullable<Mutation['answer']>,
    subject: Mutation['subject'] = 'app',
  ) => ({
    id: `errors/${id}`,
    subject,
    controls: ['errors'],
    from,
    answer,
  })
  const PROBLEM = 'application/problem+json'
  return [
    ...BODIES.flatMap(([name, type, body, from]) =>
      OWN_KINDS.map((kind) => of(`${name}/${kind}`, from, bodyOn(kind, type, body))),
    ),
    ...LEAKS.flatMap(([name, detail]) =>
      ['error', '400'].map((kind) =>
        of(
          `leak/${name}/${kind}`,
          'leak.error-detail',
          bodyOn(kind, PROBLEM, (status) => problemBody(status, { detail })),
        ),
      ),
    ),
    of(
      'leak/stack/404',
      'leak.error-detail',
      bodyOn('404', 'text/html; charset=utf-8', `<pre>${STACK}</pre>`),
    ),
    of(
      'leak/stack/401',
      'leak.error-detail',
      bodyOn('401', 'application/json', JSON.stringify({ error: STACK })),
    ),
    of(
      'leak/stack/403',
      'leak.error-detail',
      bodyOn('403', 'application/json', JSON.stringify({ error: STACK })),
    ),
    of(
      'html/404',
      'drift.error-shape',
      bodyOn('404', 'text/html; charset=utf-8', '<pre>Cannot GET /nowhere</pre>'),
    ),
    of('html/403', 'drift.error-shape', bodyOn('403', 'text/html; charset=utf-8', '<h1>Forbidden</h1>')),
    of('labelled-json/error', 'ctype.mismatch', (passing) =>
      passing.kind === 'error'
        ? { lines: instead(passing.lines, 'Content-Type', 'text/html; charset=utf-8') }
        : undefined,
    ),
    of('label-lost/error', 'ctype.missing', (passing) =>
      passing.kind === 'error' ? { lines: without(passing.lines, 'Content-Type') } : undefined,
    ),
    of(
      'status-in-body/error',
      'drift.error-shape',
      bodyOn('error', PROBLEM, () => problemBody(200, {})),
    ),
    of(
      'code-lost/error',
      'drift.error-shape',
      bodyOn('error', PROBLEM, (status) => JSON.stringify({ type: 'about:blank', title: 'Error', status })),
    ),
    of('cut-off/error', 'drift.error-shape', bodyOn('error', PROBLEM, '{"type":"about:blank","title":"Err')),
    of('ok-in-place/error', 'drift.error-shape', ({ kind, lines }) =>
      kind === 'refused-method'
        ? { status: 200, lines: instead(lines, 'Content-Type', 'application/json'), body: '{"ok":false}' }
        : undefined,
    ),
    ...['error', 'parser', '404'].map((kind) =>
      of(
        `gateway/stack/${kind}`,
        'leak.error-detail',
        bodyOn(kind, 'text/plain; charset=utf-8', STACK),
        'gateway',
      ),
    ),
  ]
}
