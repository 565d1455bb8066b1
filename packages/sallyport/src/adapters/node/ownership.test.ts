// The policy owns its header names, in every form in which node:http takes headers; everything else passes untouched.

import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { forms, WEAKER } from '../../../test/kinds/hostile.ts'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { runs } from '../../../test/runs.ts'
import type { PolicyDocument } from './index.ts'
import { createServer } from './index.ts'

const policy: PolicyDocument = {
  extends: 'recommended',
  cors: { origins: ['https://app.example.com'] },
}

const EXACT = {
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'X-DNS-Prefetch-Control': 'off',
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store, private',
} as const

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

async function answerOf(handler: RequestListener, request: string = GET): Promise<Answer> {
  const app = await listening(createServer(policy, handler))
  try {
    return parseAnswer(await send(app, request))
  } finally {
    await app.close()
  }
}

function expectOwned(answer: Answer): void {
  for (const [name, value] of Object.entries(EXACT)) assert.deepEqual(valuesOf(answer, name), [value], name)
  for (const name of ['X-Powered-By', 'Server']) assert.deepEqual(valuesOf(answer, name), [], name)
}

describe('ownership', () => {
  for (const [form, write] of Object.entries(forms))
    test(`weaker values given by "${form}" never leave the server`, async () => {
      const answer = await answerOf((_request, response) => {
        write(response, 200, [...WEAKER, ['X-Own', 'kept'], ['Content-Type', 'text/plain']])
        response.end('body')
      })
      expectOwned(answer)
      assert.ok(valuesOf(answer, 'X-Own').every((value) => value === 'kept'))
      assert.ok(valuesOf(answer, 'X-Own').length > 0)
      assert.equal(answer.status, 200)
    })

  test('names are owned in whatever case they are written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(EXACT), 'X-Powered-By'),
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        fc.constantFrom(...Object.keys(forms)),
        async (name, upper, form) => {
          const spelled = [...name]
            .map((letter, i) => (upper[i] ? letter.toUpperCase() : letter.toLowerCase()))
            .join('')
          expectOwned(
            await answerOf((_request, response) => {
              forms[form]!(response, 200, [[spelled, 'weaker']])
              response.end()
            }),
          )
        },
      ),
      runs(60),
    )
  })

  test('a status message of the application is sent', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeHead(200, 'Fine', { 'X-Frame-Options': 'ALLOWALL' })
      response.end()
    })
    assert.equal(answer.reason, 'Fine')
    expectOwned(answer)
  })

  test('an error status without a body to replace keeps Content-Length and the body as it was written', async () => {
    const answer = await answerOf((_request, response) => {
      response.statusCode = 404
      response.setHeader('Content-Type', 'application/json')
      response.end('{"own":true}')
    })
    assert.deepEqual(valuesOf(answer, 'Content-Length'), ['12'])
    assert.deepEqual(valuesOf(answer, 'Transfer-Encoding'), [])
    assert.equal(answer.rest, '{"own":true}')
  })
})

describe('Set-Cookie', () => {
  const two = ['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT']
  const ways: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
    'setHeader with a list': (response) => response.setHeader('Set-Cookie', two),
    appendHeader: (response) => {
      for (const cookie of two) response.appendHeader('Set-Cookie', cookie)
    },
    'writeHead with an object': (response) => response.writeHead(200, { 'Set-Cookie': two, Server: 'x' }),
    'writeHead with a flat list': (response) =>
      response.writeHead(200, ['Set-Cookie', two[0]!, 'Server', 'x', 'Set-Cookie', two[1]!]),
    'writeHead with a list in a flat list': (response) =>
      response.writeHead(200, ['Set-Cookie', two, 'Server', 'x'] as never),
    'writeHead with a nested list': (response) =>
      response.writeHead(200, [
        ['Set-Cookie', two[0]],
        ['Server', 'x'],
        ['Set-Cookie', two[1]],
      ] as never),
    'setHeaders with a Map': (response) => response.setHeaders(new Map([['Set-Cookie', two]])),
  }
  for (const [way, set] of Object.entries(ways))
    for (const status of [200, 500])
      test(`${way} is sent as it is, one line for each cookie (${status})`, async () => {
        const answer = await answerOf((_request, response) => {
          response.statusCode = status
          if (way.startsWith('writeHead')) {
            const { writeHead } = response
            response.writeHead = ((_status: number, ...rest: []) =>
              writeHead.call(response, status, ...rest)) as typeof writeHead
          }
          set(response)
          response.end()
        })
        assert.equal(answer.status, status)
        assert.deepEqual(valuesOf(answer, 'Set-Cookie'), two)
        expectOwned(answer)
      })
})

describe('Vary', () => {
  const cases: readonly (readonly [application: string | readonly string[], merged: string])[] = [
    ['Accept-Encoding', 'Accept-Encoding, Origin'],
    ['accept , origin', 'accept, origin'],
    ['ORIGIN', 'ORIGIN'],
    ['*', '*'],
    [['Accept', 'Cookie'], 'Accept, Cookie, Origin'],
    ['', 'Origin'],
    [',, Accept,,', 'Accept, Origin'],
  ]
  for (const [application, merged] of cases)
    for (const form of ['setHeader', 'object', 'flat', 'nested', 'set, then object'])
      test(`${JSON.stringify(application)} by "${form}" becomes ${JSON.stringify(merged)}, in one line`, async () => {
        const answer = await answerOf((_request, response) => {
          forms[form]!(response, 200, [['Vary', application as string]])
          response.end()
        })
        assert.deepEqual(valuesOf(answer, 'Vary'), [merged])
      })

  test('lines of the same list are joined', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeHead(200, ['Vary', 'Accept', 'X-Own', '1', 'vary', 'Cookie'])
      response.end()
    })
    assert.deepEqual(valuesOf(answer, 'Vary'), ['Accept, Cookie, Origin'])
  })

  test('a value cannot break out of its line', async () => {
    let thrown: unknown
    const answer = await answerOf((_request, response) => {
      try {
        response.writeHead(200, { Vary: 'Accept\r\nSet-Cookie: stolen=1\r\n\r\n<script>' })
      } catch (error) {
        thrown = error
      }
      response.writeHead(200)
      response.end()
    })
    assert.equal((thrown as { code?: string }).code, 'ERR_INVALID_CHAR')
    assert.deepEqual(valuesOf(answer, 'Set-Cookie'), [])
    expectOwned(answer)
  })
})

describe('trailers', () => {
  const fetchTrailers = (trailers: Parameters<ServerResponse['addTrailers']>[0]) =>
    answerOf((_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { Trailer: 'X-Checksum' })
      response.write('body')
      response.addTrailers(trailers)
      response.end()
    })

  test('a trailer of an owned name is not sent, others are', async () => {
    for (const trailers of [
      { 'X-Checksum': '1', 'x-frame-options': 'ALLOWALL', 'Cache-Control': 'public' },
      [
        ['X-Checksum', '1'],
        ['x-frame-options', 'ALLOWALL'],
        ['Cache-Control', 'public'],
      ],
    ]) {
      const { rest } = await fetchTrailers(trailers as never)
      assert.ok(rest.endsWith('0\r\nX-Checksum: 1\r\n\r\n'), JSON.stringify(rest))
    }
  })
})

describe('Node’s own errors', () => {
  test('a second head, a wrong status and a wrong header are refused as by Node', async () => {
    const codes: (string | undefined)[] = []
    const attempt = (action: () => void) => {
      try {
        action()
        codes.push(undefined)
      } catch (error) {
        codes.push((error as { code?: string }).code)
      }
    }
    const answer = await answerOf((_request, response) => {
      attempt(() => response.writeHead(99))
      attempt(() => response.writeHead(200, ['X-Odd']))
      attempt(() => response.writeHead(200, { 'X-Own': undefined }))
      attempt(() => response.writeHead(200, { 'X Own': '1' }))
      attempt(() => response.writeHead(200, { 'X-Own': 'a\nb', Server: 'x' }))
      attempt(() => response.writeHead(200))
      attempt(() => response.writeHead(200))
      attempt(() => response.setHeader('X-Late', '1'))
      response.end()
    })
    assert.deepEqual(codes, [
      'ERR_HTTP_INVALID_STATUS_CODE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_HTTP_INVALID_HEADER_VALUE',
      'ERR_INVALID_HTTP_TOKEN',
      'ERR_INVALID_CHAR',
      undefined,
      'ERR_HTTP_HEADERS_SENT',
      'ERR_HTTP_HEADERS_SENT',
    ])
    expectOwned(answer)
  })
})
