// The guard under servers of every make: over TLS, several in one process, with classes of the application's own; and
// what happens when a handler or a control fails.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlainServer, type Server, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { makeAuthority, makeLeaf } from '../../../../server/src/tls/certificate.ts'
import { SECRET } from '../../../test/kinds/kinds.ts'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf, type Where } from '../../../test/kinds/wire.ts'
import type { Cell } from '../../guard/cell.ts'
import { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import { attach, compile, createServer, cspNonce, exchangeOf, type Guard } from './index.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
const GARBAGE = 'GARBAGE\r\n\r\n'

async function answersFrom(server: Server, requests: readonly string[], tls = false): Promise<Answer[]> {
  const app = await listening(server)
  const where: Where = { port: app.port, tls }
  const answers: Answer[] = []
  for (const request of requests) answers.push(parseAnswer(await send(where, request)))
  await app.close()
  return answers
}

describe('servers', () => {
  test('over TLS, answers and parser errors carry HSTS; over plain HTTP at our own listener, none does', async () => {
    const day = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 }
    const authority = makeAuthority('Test', day, randomBytes)
    const leaf = makeLeaf(
      authority,
      'Test',
      { names: ['localhost'], addresses: [Uint8Array.of(127, 0, 0, 1)] },
      day,
      randomBytes,
    )
    const policy = { extends: 'api', transport: { tls: 'here' } } as const
    const secure = createServer(policy, (_request, response) => response.end(), {
      key: leaf.key,
      cert: leaf.certificate,
    })
    const hsts = ['max-age=63072000; includeSubDomains; preload']
    for (const answer of await answersFrom(secure, [GET, GARBAGE], true))
      assert.deepEqual(valuesOf(answer, 'Strict-Transport-Security'), hsts)
    const [plain] = await answersFrom(createServer(policy), [GARBAGE])
    assert.deepEqual(valuesOf(plain!, 'Strict-Transport-Security'), [])

    // Plain HTTP on the TLS port is no one to answer to.
    const again = createServer(policy, undefined, { key: leaf.key, cert: leaf.certificate })
    const app = await listening(again)
    const socket = connect(app.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(GET)
    await once(socket, 'close')
    await app.close()
  })

  test('two guards in one process keep to their servers, and a server without one is left alone', async () => {
    const handler = (_request: unknown, response: ServerResponse) =>
      void response.setHeader('X-Frame-Options', 'own').end()
    const [api] = await answersFrom(createServer({ extends: 'api' }, handler), [GET])
    const [payments] = await answersFrom(createServer({ extends: 'payments' }, handler), [GET])
    const [none] = await answersFrom(createPlainServer(handler), [GET])
    assert.deepEqual(
      [api, payments, none].map((answer) => valuesOf(answer!, 'X-Frame-Options').join()),
      ['SAMEORIGIN', 'DENY', 'own'],
    )
  })

  test('a second guard for the same server is refused', () => {
    const server = createServer({ extends: 'api' })
    assert.throws(() => attach(server, compile({ extends: 'api' })), /already has a guard/)
  })

  test('a server of node:http2 is refused, since its answers would pass unguarded', () => {
    assert.throws(
      () => attach(createHttp2Server() as unknown as Server, compile({ extends: 'api' })),
      /HTTP\/1\.1 only, but this is a Http2Server/,
    )
  })

  test('a wrong policy is refused when the server is made', () => {
    assert.throws(() => createServer({ extends: 'nonsense' as 'api' }), { name: 'PolicyError' })
  })

  test('a response class of the application keeps its methods, and is guarded', async () => {
    class OwnResponse extends ServerResponse {
      sendWord(word: string) {
        this.setHeader('X-Frame-Options', 'ALLOWALL')
        this.end(word)
      }
    }
    const server = createPlainServer(
      { ServerResponse: OwnResponse as typeof ServerResponse },
      (_q, response) => (response as OwnResponse).sendWord('own'),
    )
    attach(server, compile({ extends: 'api' }))
    const [answer, malformed] = await answersFrom(server, [GET, GARBAGE])
    assert.equal(bodyOf(answer!), 'own')
    for (const seen of [answer!, malformed!])
      assert.deepEqual(valuesOf(seen, 'X-Frame-Options'), ['SAMEORIGIN'])
  })

  test('a handler that is called past the server still answers under the policy', async () => {
    const server = createPlainServer()
    attach(server, compile({ extends: 'api' }))
    // Some hosts and tracers call the listeners by themselves.
    const { emit } = server
    server.emit = ((event: string, ...args: unknown[]) => {
      if (event !== 'request') return emit.call(server, event, ...args)
      const response = args[1] as ServerResponse
      response.writeHead(500, { 'X-Frame-Options': 'ALLOWALL' }).end(SECRET)
      return true
    }) as typeof emit
    const [answer] = await answersFrom(server, [GET])
    assert.deepEqual(valuesOf(answer!, 'X-Frame-Options'), ['SAMEORIGIN'])
    assert.ok(!bodyOf(answer!).includes(SECRET))
  })

  test('timeouts shorter than ours are taken, heads included', () => {
    const server = createServer({ extends: 'api' }, undefined, { requestTimeout: 5_000 })
    assert.equal(server.requestTimeout, 5_000)
    assert.equal(server.headersTimeout, 5_000)
    assert.equal(createServer({ extends: 'api' }).headersTimeout, 10_000)
  })
})

describe('what the application sees', () => {
  test('the exchange and its nonce', async () => {
    const seen: unknown[] = []
    const policy = {
      headers: { contentSecurityPolicy: { 'default-src': ["'none'"], 'script-src': ['nonce'] } },
    } as const
    const server = createServer(
      {
        extends: 'api',
        ...policy,
        headers: { contentSecurityPolicy: { 'default-src': ["'none'"], 'script-src': ["'nonce'"] } },
      },
      (_request, response) => {
        seen.push(exchangeOf(response)?.cell.id, cspNonce(response))
        response.end()
      },
    )
    const [answer] = await answersFrom(server, [GET])
    assert.equal(seen[0], '*')
    assert.match(String(seen[1]), /^[A-Za-z0-9+/]{22}==$/)
    assert.ok(valuesOf(answer!, 'Content-Security-Policy').join().includes(`'nonce-${seen[1]}'`))
    assert.equal(cspNonce({}), '')
    assert.equal(exchangeOf({}), undefined)
  })

  test('a target in absolute form reads as its path', async () => {
    const urls: unknown[] = []
    const server = createServer({ extends: 'api' }, (request, response) => {
      urls.push(request.url)
      response.end()
    })
    await answersFrom(server, [GET.replace('GET /', 'GET http://a.example/v1/things?x=1')])
    assert.deepEqual(urls, ['/v1/things?x=1'])
  })
})

describe('failures', () => {
  test('a handler that throws or rejects is answered for, and its error goes on to the process', async () => {
    // In a process of its own: test/kinds/kinds.test.ts. Here: a rejection after the head was sent cuts the answer off.
    const errors: unknown[] = []
    const listen = (error: unknown) => void errors.push(error)
    const before = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', listen)
    const server = createServer({ extends: 'api' }, async (_request, response) => {
      response.write('begun')
      throw new Error(SECRET)
    })
    const [answer] = await answersFrom(server, [GET])
    assert.equal(answer!.status, 200)
    assert.ok(!answer!.rest.includes('0\r\n\r\n'))
    assert.deepEqual(errors.map(String), [`Error: ${SECRET}`])
    process.off('unhandledRejection', listen)
    for (const listener of before) process.on('unhandledRejection', listener)
  })

  function failing(part: 'admit' | 'perAnswer' | 'replaceBody'): Guard {
    const guard = compile({ extends: 'api' })
    const fail = () => {
      throw new TypeError(SECRET)
    }
    const compiled = guard.cells.at(-2)!.compiled
    const broken = {
      ...compiled,
      ...(part === 'admit' ? { admit: [fail] } : {}),
      ...(part === 'perAnswer' ? { perAnswer: [fail, () => lines([['X-After', 'made']])] } : {}),
      ...(part === 'replaceBody' ? { replaceBody: fail } : {}),
    }
    const cell: Cell = { ...guard.cells.at(-2)!, compiled: broken }
    return {
      ...guard,
      open: (incoming) => new Exchange(incoming, cell, '/', '/'),
      unreadable: (connection) => new Exchange({ ...NOTHING_READ, ...connection }, cell, '', ''),
    }
  }
  const NOTHING_READ = { method: '', target: '', httpVersion: '', rawHeaders: [], header: () => undefined }

  for (const part of ['admit', 'perAnswer', 'replaceBody'] as const)
    for (const status of [200, 204, 500])
      test(`a control that fails in ${part} closes the door: 500 with the policy in place of ${status}`, async () => {
        const warnings: Error[] = []
        const listen = (warning: Error) => void warnings.push(warning)
        const printers = process.listeners('warning')
        process.removeAllListeners('warning')
        process.on('warning', listen)
        const server = createServer(failing(part), (_request, response) => {
          response.writeHead(status, { 'X-Own': SECRET, 'X-Frame-Options': 'ALLOWALL' })
          response.end(status === 204 ? undefined : SECRET)
        })
        const [answer, garbage] = await answersFrom(server, [GET, GARBAGE])
        // Warnings are told in the next turn.
        await new Promise((resolve) => setImmediate(resolve))
        process.off('warning', listen)
        for (const printer of printers) process.on('warning', printer)
        assert.equal(garbage!.status, 400)
        assert.deepEqual(valuesOf(garbage!, 'X-Frame-Options'), ['SAMEORIGIN'])
        assert.deepEqual(valuesOf(answer!, 'X-Frame-Options'), ['SAMEORIGIN'])
        assert.ok(!JSON.stringify(answer).includes(SECRET))
        // Where nothing is asked of the failing part, nothing fails: a body below 400 is not judged.
        assert.equal(answer!.status, 500)
        assert.deepEqual(valuesOf(answer!, 'Connection'), ['close'])
        if (part === 'perAnswer') assert.deepEqual(valuesOf(answer!, 'X-After'), ['made'])
        assert.ok(
          warnings.some((warning) => (warning as { code?: string }).code === 'SALLYPORT_CONTROL_FAILED'),
        )
        for (const warning of warnings) assert.ok(!String(warning.stack).includes(SECRET))
      })
})
