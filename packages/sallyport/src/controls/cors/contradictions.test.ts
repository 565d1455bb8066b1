import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'

const APP = 'https://app.example.com'

/** What is said of a policy with this `cors`: one line for each problem. */
function complaints(cors: unknown, rest: object = {}): readonly string[] {
  try {
    resolvePolicy({ ...rest, cors } as never)
    return []
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return error.message.split('\n')
  }
}

const wrong: readonly (readonly [cors: unknown, complaint: string])[] = [
  [
    { origins: ['*'] },
    'cors.origins[0]: "*" would let every page of the web act with the cookies of its visitor, received "*"; list the origins that may; for calls without cookies from anywhere write bearer: "any-origin"',
  ],
  [
    { origins: [APP, 'null'] },
    'cors.origins[1]: "null" is the origin of sandboxed frames and local files, whoever made them, received "null"; remove it, and serve the page from an https: origin of its own',
  ],
  [
    { origins: ['http://app.example.com'] },
    'cors.origins[0]: whoever sits on the network can speak as an http: origin, and would act with the cookies of its visitors, received "http://app.example.com"; write "https://app.example.com"',
  ],
  [
    { origins: [`${APP}/`] },
    'cors.origins[0]: an origin does not end with a slash; browsers never send one, received "https://app.example.com/"; write "https://app.example.com"',
  ],
  [
    { origins: ['https://*.co.uk'] },
    'cors.origins[0]: anybody can register a name below "co.uk" (public suffix list), received "https://*.co.uk"; name your own domain: "https://*.example.co.uk"',
  ],
  [
    { origins: [APP, APP] },
    'cors.origins[1]: stands twice in the list, received "https://app.example.com"; remove one of them',
  ],
  [
    { origins: 'https://app.example.com' },
    'cors.origins: expected a list, received "https://app.example.com"; write it in brackets: [ … ]',
  ],
  [
    { origins: [7] },
    'cors.origins[0]: expected an origin, received 7; write it as "https://app.example.com"',
  ],
  [{ origin: APP }, 'cors.origin: there is no setting "origin" here; did you mean "origins"?'],
  [
    { origins: [], bearer: true },
    'cors.bearer: expected one of "any-origin", "listed", received true; write one of them',
  ],
  [
    { allowMethods: ['GET'] },
    'cors.origins: nothing says which origins may call, so the control would do nothing; add origins: ["https://app.example.com"], or origins: [] to grant nothing to anybody',
  ],
  [
    { mode: 'enforce' },
    'cors.origins: nothing says which origins may call, so the control would do nothing; add origins: ["https://app.example.com"], or origins: [] to grant nothing to anybody',
  ],
  [
    { origins: [APP], allowMethods: ['*'] },
    'cors.allowMethods[0]: browsers take "*" for a plain name where an origin is allowed credentials, received "*"; list the names, or leave origins empty',
  ],
  [
    { origins: [APP], allowHeaders: ['*'] },
    'cors.allowHeaders[0]: browsers take "*" for a plain name where an origin is allowed credentials, received "*"; list the names, or leave origins empty',
  ],
  [
    { origins: [APP], exposeHeaders: ['x-a', '*'] },
    'cors.exposeHeaders[1]: browsers take "*" for a plain name where an origin is allowed credentials, received "*"; list the names, or leave origins empty',
  ],
  [
    { origins: [], allowMethods: ['TRACE'] },
    'cors.allowMethods[0]: no page can ever send this method (Fetch standard), received "TRACE"; remove it',
  ],
  [
    { origins: [], allowMethods: ['connect'] },
    'cors.allowMethods[0]: no page can ever send this method (Fetch standard), received "connect"; remove it',
  ],
  [
    { origins: [], allowMethods: ['Track'] },
    'cors.allowMethods[0]: no page can ever send this method (Fetch standard), received "Track"; remove it',
  ],
  [
    { origins: [], allowMethods: ['patch'] },
    'cors.allowMethods[0]: methods are told apart by letter case, received "patch"; write "PATCH"',
  ],
  [
    { origins: [], allowMethods: ['GET, PUT'] },
    'cors.allowMethods[0]: is not a method (RFC 9110, section 9.1), received "GET, PUT"; write "PATCH"',
  ],
  [
    { origins: [], allowMethods: [''] },
    'cors.allowMethods[0]: is not a method (RFC 9110, section 9.1), received ""; write "PATCH"',
  ],
  [
    { origins: [], allowHeaders: ['x-a\r\nset-cookie: a=b'] },
    'cors.allowHeaders[0]: is not a header name (RFC 9110, section 5.1), received "x-a\\r\\nset-cookie: a=b"; write "x-request-id"',
  ],
  [
    { origins: [], allowHeaders: ['access-control-allow-origin'] },
    'cors.allowHeaders[0]: this is a header of answers, not of requests, received "access-control-allow-origin"; remove it',
  ],
  [
    { origins: [], allowHeaders: ['x-note', 'X-Note'] },
    'cors.allowHeaders[1]: is the same name as "x-note", received "X-Note"; remove one of them',
  ],
  [
    { origins: [], exposeHeaders: ['Set-Cookie'] },
    'cors.exposeHeaders[0]: no page can ever read this header (Fetch standard), received "Set-Cookie"; remove it',
  ],
  [
    { origins: [], exposeHeaders: ['set-cookie2'] },
    'cors.exposeHeaders[0]: no page can ever read this header (Fetch standard), received "set-cookie2"; remove it',
  ],
  [
    { origins: [], exposeHeaders: ['x y'] },
    'cors.exposeHeaders[0]: is not a header name (RFC 9110, section 5.1), received "x y"; write "x-request-id"',
  ],
  [
    { origins: [], maxAgeSeconds: 86_401 },
    'cors.maxAgeSeconds: expected a whole number from 0 to 86400, received 86401; write a number such as 600',
  ],
  [
    { origins: [], maxAgeSeconds: -1 },
    'cors.maxAgeSeconds: expected a whole number from 0 to 86400, received -1; write a number such as 600',
  ],
  [
    { origins: [], maxAgeSeconds: '600' },
    'cors.maxAgeSeconds: expected a whole number from 0 to 86400, received "600"; write a number such as 600',
  ],
]

for (const [cors, complaint] of wrong)
  test(`refused: ${JSON.stringify(cors)}`, () => {
    assert.deepEqual(complaints(cors), [complaint])
  })

const forbidden =
  'Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method Connection Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Authorization Sec-Fetch-Site'

test('every request header that the Fetch standard keeps from pages is refused in allowHeaders', () => {
  for (const name of forbidden.split(' '))
    assert.match(
      complaints({ origins: [], allowHeaders: [name.toLowerCase()] })[0] ?? '',
      /no page can ever set/,
      name,
    )
})

test('every problem of a setting is told at once', () => {
  const found = complaints({ origins: ['*', 'null'], allowMethods: ['TRACE'], exposeHeaders: ['set-cookie'] })
  assert.equal(found.length, 4)
})

test('a problem of a route is told with the route’s path, one that routes inherit only once', () => {
  const routes = { '/a': { cors: { origins: ['null'] } }, '/b': {}, '/c': {} }
  assert.match(complaints({ origins: [] }, { routes })[0] ?? '', /^routes\["\/a"\]\.cors\.origins\[0\]: /)
  assert.equal(complaints({ origins: ['null'] }, { routes: { '/b': {}, '/c': {} } }).length, 1)
})

const right: readonly unknown[] = [
  {},
  undefined,
  { mode: 'off' },
  { origins: [] },
  { bearer: 'any-origin' },
  { origins: [APP, 'https://*.example.com', 'http://localhost:3000'], bearer: 'any-origin' },
  { bearer: 'any-origin', allowMethods: ['*'], allowHeaders: ['*', 'authorization'], exposeHeaders: ['*'] },
  { origins: [APP], allowMethods: ['PURGE', 'purge'], maxAgeSeconds: 0 },
  { origins: [APP], maxAgeSeconds: 86_400 },
]
for (const cors of right)
  test(`taken: ${JSON.stringify(cors)}`, () => {
    assert.deepEqual(complaints(cors), [])
  })

test('a route for cookies only may stand in a policy that takes bearer credentials from any origin', () => {
  assert.deepEqual(
    complaints({ bearer: 'any-origin' }, { routes: { '/session': { credentials: 'cookie' } } }),
    [],
  )
})
