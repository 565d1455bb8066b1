import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corsLines, drive, type Got, valuesOf } from '../../../test/cors/drive.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { CorsSetting } from './setting.ts'

const LISTED = 'https://dashboard.example.com'
const MEMBER = 'https://eu.team.example.com'
const FOREIGN = 'https://evil.example'

const setting: CorsSetting = {
  origins: [LISTED, 'https://*.team.example.com'],
  bearer: 'any-origin',
  allowMethods: ['GET', 'PUT'],
  allowHeaders: ['authorization', 'x-note'],
  exposeHeaders: ['x-request-id'],
  maxAgeSeconds: 300,
}

const policy: PolicyDocument = {
  cors: setting,
  routes: {
    '/mixed': { credentials: 'mixed' },
    '/bearer': { credentials: 'bearer' },
    '/open': { credentials: 'none' },
    '/cookie': { credentials: 'cookie' },
    '/listed-only': { credentials: 'mixed', cors: { bearer: 'listed' } },
    '/pure': { credentials: 'bearer', cors: { origins: [] } },
    '/nobody': { credentials: 'cookie', cors: { origins: [] } },
    '/own': { cors: { mode: 'off' } },
    '/reported': { credentials: 'mixed', cors: { mode: 'report' } },
    'PUT /split': { credentials: 'cookie' },
  },
}
const guard = createGuard(policy, 'node')

interface Ask {
  readonly path: string
  readonly origin?: string
  readonly method?: string
  readonly headers?: readonly (readonly [string, string])[]
  /** What the application answers. */
  readonly application?: { readonly status: number; readonly headers: readonly (readonly [string, string])[] }
}

/** Reads as the specification does: `expectPreflight({ path, origin }).isDenied()`. */
function expectPreflight({ path, origin = FOREIGN, method = 'GET', headers = [] }: Ask, by: Guard = guard) {
  const got = drive(by, {
    method: 'OPTIONS',
    path,
    headers: [['Origin', origin], ['Access-Control-Request-Method', method], ...headers],
  })
  return {
    ...expectations(got),
    isDenied() {
      assert.equal(got.status, 403)
      assert.equal(got.reachedApplication, false)
      assert.deepEqual(corsLines(got), [])
    },
    isAllowed(allowOrigin: string, credentials: boolean) {
      assert.equal(got.status, 204)
      assert.equal(got.reachedApplication, false)
      assert.deepEqual(valuesOf(got, 'access-control-allow-origin'), [allowOrigin])
      assert.deepEqual(valuesOf(got, 'access-control-allow-credentials'), credentials ? ['true'] : [])
      assert.deepEqual(valuesOf(got, 'access-control-allow-methods'), ['GET, PUT'])
      assert.deepEqual(valuesOf(got, 'access-control-allow-headers'), ['authorization, x-note'])
      assert.deepEqual(valuesOf(got, 'access-control-max-age'), ['300'])
      assert.deepEqual(valuesOf(got, 'access-control-expose-headers'), [])
    },
  }
}

function expectRequest({ path, origin, method = 'GET', headers = [], application }: Ask, by: Guard = guard) {
  const got = drive(
    by,
    { method, path, headers: [...(origin === undefined ? [] : [['Origin', origin] as const]), ...headers] },
    application,
  )
  return {
    ...expectations(got),
    isGranted(allowOrigin: string, credentials: boolean) {
      assert.deepEqual(valuesOf(got, 'access-control-allow-origin'), [allowOrigin])
      assert.deepEqual(valuesOf(got, 'access-control-allow-credentials'), credentials ? ['true'] : [])
      assert.deepEqual(valuesOf(got, 'access-control-expose-headers'), ['x-request-id'])
      assert.equal(corsLines(got).length, credentials ? 3 : 2)
    },
    isGrantedNothing() {
      assert.deepEqual(corsLines(got), [])
    },
  }
}

function expectations(got: Got) {
  return {
    got,
    varies: (vary: string | undefined) =>
      assert.deepEqual(valuesOf(got, 'vary'), vary === undefined ? [] : [vary]),
    ignoresCookies: (ignored: boolean) => assert.equal(got.cookiesIgnored, ignored),
  }
}

for (const path of ['/mixed', '/bearer', '/open', '/cookie', '/listed-only'])
  for (const origin of [LISTED, MEMBER])
    test(`D12 on ${path} the listed ${origin} is reflected, with credentials`, () => {
      expectPreflight({ path, origin }).isAllowed(origin, true)
      const request = expectRequest({ path, origin })
      request.isGranted(origin, true)
      request.varies('Origin')
      request.ignoresCookies(false)
    })

for (const path of ['/mixed', '/bearer', '/open'])
  for (const origin of [FOREIGN, 'null', 'https://team.example.com', `${LISTED}.evil.example`])
    test(`D12 on ${path} the unlisted ${origin} may call without cookies only`, () => {
      expectPreflight({ path, origin }).isAllowed('*', false)
      const request = expectRequest({ path, origin })
      request.isGranted('*', false)
      request.varies('Origin')
      request.ignoresCookies(true)
    })

for (const path of ['/cookie', '/listed-only'])
  for (const origin of [
    FOREIGN,
    'null',
    '',
    'https://team.example.com',
    `${LISTED}:8443`,
    `${LISTED}, ${LISTED}`,
  ])
    test(`D17 on ${path} the unlisted ${JSON.stringify(origin)} is granted nothing`, () => {
      const preflight = expectPreflight({ path, origin })
      preflight.isDenied()
      preflight.varies('Origin')
      const request = expectRequest({ path, origin })
      request.isGrantedNothing()
      request.varies('Origin')
      request.ignoresCookies(false)
      assert.equal(request.got.reachedApplication, true)
    })

for (const status of [200, 301, 400, 401, 403, 404, 429, 500, 503])
  test(`D12 an answer of ${status} carries the grant as well`, () => {
    const application = { status, headers: [] }
    expectRequest({ path: '/mixed', origin: FOREIGN, application }).isGranted('*', false)
    expectRequest({ path: '/mixed', origin: LISTED, application }).isGranted(LISTED, true)
    expectRequest({ path: '/cookie', origin: FOREIGN, application }).isGrantedNothing()
  })

test('Vary names Origin also where the request has none, merged with the application’s own', () => {
  const none = expectRequest({ path: '/mixed' })
  none.isGrantedNothing()
  none.varies('Origin')
  none.ignoresCookies(false)
  const vary = (value: string) =>
    expectRequest({ path: '/mixed', application: { status: 200, headers: [['Vary', value]] } })
  vary('Accept-Encoding').varies('Accept-Encoding, Origin')
  vary('origin, Accept').varies('origin, Accept')
  vary('*').varies('*')
})

test('where nobody is listed the answer is the same for everybody, without Vary', () => {
  for (const origin of [undefined, FOREIGN, LISTED, 'null']) {
    const request = expectRequest({ path: '/pure', ...(origin === undefined ? {} : { origin }) })
    request.isGranted('*', false)
    request.varies(undefined)
  }
  const preflight = expectPreflight({ path: '/pure' })
  preflight.isAllowed('*', false)
  preflight.varies(undefined)
})

test('where nobody is granted anything there is neither a grant nor Vary', () => {
  expectPreflight({ path: '/nobody', origin: LISTED }).isDenied()
  expectPreflight({ path: '/nobody', origin: LISTED }).varies(undefined)
  expectRequest({ path: '/nobody', origin: LISTED }).isGrantedNothing()
})

test('a page of the API’s own origin keeps its cookies though it is not listed', () => {
  const site = (value: string) =>
    expectRequest({ path: '/mixed', method: 'POST', origin: FOREIGN, headers: [['Sec-Fetch-Site', value]] })
  site('same-origin').ignoresCookies(false)
  for (const value of ['cross-site', 'same-site', 'none', 'Same-Origin', '']) site(value).ignoresCookies(true)
})

test('the application’s own Access-Control lines never pass where the policy speaks', () => {
  const application = {
    status: 200,
    headers: [
      ['Access-Control-Allow-Origin', FOREIGN],
      ['access-control-allow-credentials', 'true'],
      ['ACCESS-CONTROL-ALLOW-METHODS', 'DELETE'],
      ['Access-Control-Allow-Headers', 'x-admin'],
      ['Access-Control-Expose-Headers', 'x-secret'],
      ['Access-Control-Max-Age', '86400'],
      ['Access-Control-Allow-Private-Network', 'true'],
      ['X-Kept', 'yes'],
    ] as const,
  }
  for (const path of ['/cookie', '/listed-only', '/nobody']) {
    const request = expectRequest({ path, origin: FOREIGN, application })
    request.isGrantedNothing()
    assert.deepEqual(valuesOf(request.got, 'x-kept'), ['yes'])
  }
  expectRequest({ path: '/mixed', origin: FOREIGN, application }).isGranted('*', false)
  expectRequest({ path: '/mixed', origin: LISTED, application }).isGranted(LISTED, true)
  expectRequest({ path: '/pure', application }).isGranted('*', false)
})

const notPreflights: readonly (readonly [
  what: string,
  method: string,
  headers: readonly (readonly [string, string])[],
])[] = [
  ['OPTIONS alone', 'OPTIONS', []],
  ['OPTIONS with Origin only', 'OPTIONS', [['Origin', FOREIGN]]],
  ['OPTIONS with Access-Control-Request-Method only', 'OPTIONS', [['Access-Control-Request-Method', 'GET']]],
  [
    'OPTIONS with Origin and Access-Control-Request-Headers',
    'OPTIONS',
    [
      ['Origin', FOREIGN],
      ['Access-Control-Request-Headers', 'x'],
    ],
  ],
  [
    'GET with both',
    'GET',
    [
      ['Origin', FOREIGN],
      ['Access-Control-Request-Method', 'GET'],
    ],
  ],
]
for (const [what, method, headers] of notPreflights)
  test(`${what} is no preflight: the application answers, without a preflight’s lines`, () => {
    const got = drive(
      guard,
      { method, path: '/cookie', headers },
      { status: 204, headers: [['Allow', 'GET']] },
    )
    assert.equal(got.reachedApplication, true)
    assert.deepEqual(valuesOf(got, 'allow'), ['GET'])
    assert.deepEqual(valuesOf(got, 'access-control-allow-methods'), [])
    const open = drive(guard, { method, path: '/mixed', headers }, { status: 204, headers: [] })
    assert.equal(open.reachedApplication, true)
    assert.deepEqual(valuesOf(open, 'access-control-allow-methods'), [])
    assert.deepEqual(valuesOf(open, 'access-control-max-age'), [])
  })

test('a preflight is judged by the route of the method that it announces', () => {
  expectPreflight({ path: '/split', method: 'PUT' }).isDenied()
  expectPreflight({ path: '/split', method: 'GET' }).isAllowed('*', false)
})

test('a preflight gets the whole fixed lists, whatever it asks for', () => {
  const headers = [['Access-Control-Request-Headers', 'x-anything,x-else']] as const
  expectPreflight({ path: '/mixed', method: 'DELETE', headers }).isAllowed('*', false)
})

test('a preflight that another control refuses gets no preflight’s lines', () => {
  const { got } = expectPreflight({
    path: '/mixed',
    origin: LISTED,
    headers: [['Host', 'other.example.com']],
  })
  assert.equal(got.status, 400)
  assert.deepEqual(valuesOf(got, 'access-control-allow-origin'), [LISTED])
  assert.deepEqual(valuesOf(got, 'access-control-allow-methods'), [])
  assert.deepEqual(valuesOf(got, 'access-control-max-age'), [])
})

test('an OPTIONS request without Origin does not choose its route by Access-Control-Request-Method', () => {
  const headers = [['Access-Control-Request-Method', 'PUT']] as const
  const got = drive(guard, { method: 'OPTIONS', path: '/split', headers: [...headers] })
  assert.deepEqual(valuesOf(got, 'vary'), ['Origin'])
  assert.equal(got.reachedApplication, true)
})

test('paths that are not canonical are granted to nobody', () => {
  for (const path of ['/mixed//x', '/MIXED/%2e%2e/cookie', '/open%2Fx']) {
    for (const origin of [LISTED, FOREIGN]) {
      const got = drive(guard, { path, headers: [['Origin', origin]] })
      assert.deepEqual(corsLines(got), [])
      const preflight = drive(guard, {
        method: 'OPTIONS',
        path,
        headers: [
          ['Origin', origin],
          ['Access-Control-Request-Method', 'GET'],
        ],
      })
      assert.ok(preflight.status >= 400)
      assert.deepEqual(corsLines(preflight), [])
    }
  }
})

const permissive = { status: 204, headers: [['Access-Control-Allow-Origin', FOREIGN]] as const }

test('a route that is switched off, and a policy without origins, leave all of it to the application', () => {
  const silent = createGuard({ extends: 'payments' }, 'node')
  for (const [by, path] of [
    [guard, '/own'],
    [silent, '/anything'],
  ] as const) {
    const got = drive(
      by,
      {
        method: 'OPTIONS',
        path,
        headers: [
          ['Origin', FOREIGN],
          ['Access-Control-Request-Method', 'GET'],
        ],
      },
      permissive,
    )
    assert.equal(got.reachedApplication, true)
    assert.deepEqual(valuesOf(got, 'access-control-allow-origin'), [FOREIGN])
    assert.deepEqual(valuesOf(got, 'vary'), [])
  }
})

test('in report mode nothing changes, and what would have is counted', () => {
  const reporting = createGuard(
    { cors: { ...setting, mode: 'report' }, routes: { '/cookie': { credentials: 'cookie' } } },
    'node',
  )
  const preflight = (path: string) =>
    drive(
      reporting,
      {
        method: 'OPTIONS',
        path,
        headers: [
          ['Origin', FOREIGN],
          ['Access-Control-Request-Method', 'GET'],
        ],
      },
      permissive,
    )
  for (const path of ['/cookie', '/else']) {
    assert.equal(preflight(path).reachedApplication, true)
    assert.deepEqual(valuesOf(preflight(path), 'access-control-allow-origin'), [FOREIGN])
  }
  assert.equal(drive(reporting, { path: '/else', headers: [['Origin', FOREIGN]] }).cookiesIgnored, false)
  assert.ok((reporting.wouldDo.get('SP-CORS-01 origin_not_allowed /cookie') ?? 0) > 0)
  assert.ok((reporting.wouldDo.get('SP-CORS-01 access-control-allow-origin *') ?? 0) > 0)
})

const api = createGuard(
  { extends: 'api', cors: { origins: [LISTED] }, routes: { '/v1/session': { credentials: 'cookie' } } },
  'node',
)

function preflightOfApi(path: string, origin: string): Got {
  return drive(api, {
    method: 'OPTIONS',
    path,
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', 'PATCH'],
    ],
  })
}

test('D12 the api preset: two classes of origins', () => {
  expectRequest({ path: '/v1/account/me', origin: LISTED }, api).ignoresCookies(false)
  expectRequest({ path: '/v1/account/me', origin: FOREIGN }, api).ignoresCookies(true)
  assert.deepEqual(valuesOf(preflightOfApi('/v1/account/me', LISTED), 'access-control-allow-origin'), [
    LISTED,
  ])
  assert.deepEqual(valuesOf(preflightOfApi('/v1/account/me', FOREIGN), 'access-control-allow-origin'), ['*'])
  assert.equal(preflightOfApi('/v1/session', FOREIGN).status, 403)
})

test('D13 preflight answers are cached for 600 seconds', () => {
  for (const origin of [LISTED, FOREIGN])
    assert.deepEqual(valuesOf(preflightOfApi('/v1/account/me', origin), 'access-control-max-age'), ['600'])
})

test('D14 the methods are GET, POST, PUT, PATCH, DELETE, OPTIONS', () => {
  for (const origin of [LISTED, FOREIGN])
    assert.deepEqual(valuesOf(preflightOfApi('/v1/account/me', origin), 'access-control-allow-methods'), [
      'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    ])
})

test('D15 the request headers are the five of the page', () => {
  for (const origin of [LISTED, FOREIGN])
    assert.deepEqual(valuesOf(preflightOfApi('/v1/account/me', origin), 'access-control-allow-headers'), [
      'authorization, content-type, x-request-id, stripe-signature, x-nowpayments-sig',
    ])
})

test('D16 the exposed headers are the nine of the page', () => {
  for (const origin of [LISTED, FOREIGN])
    assert.deepEqual(
      valuesOf(expectRequest({ path: '/v1/account/me', origin }, api).got, 'access-control-expose-headers'),
      [
        'x-request-id, x-ratelimit-bucket, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after',
      ],
    )
})

test('D17 credentials are allowed to listed origins only', () => {
  for (const origin of [FOREIGN, 'null', `${LISTED}.evil.example`, `${LISTED}:8443`]) {
    for (const path of ['/v1/account/me', '/v1/session', '/v1/status', '/else']) {
      assert.deepEqual(
        valuesOf(expectRequest({ path, origin }, api).got, 'access-control-allow-credentials'),
        [],
      )
      assert.deepEqual(valuesOf(preflightOfApi(path, origin), 'access-control-allow-credentials'), [])
    }
  }
  assert.deepEqual(
    valuesOf(
      expectRequest({ path: '/v1/session', origin: LISTED }, api).got,
      'access-control-allow-credentials',
    ),
    ['true'],
  )
})

test('D18 Cross-Origin-Resource-Policy is cross-origin on every answer', () => {
  for (const status of [200, 401, 500])
    assert.deepEqual(
      valuesOf(
        expectRequest({ path: '/v1/account/me', origin: FOREIGN, application: { status, headers: [] } }, api)
          .got,
        'cross-origin-resource-policy',
      ),
      ['cross-origin'],
    )
})
