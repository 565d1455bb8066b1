// Upgrades and tunnels: what is let in reaches the application, what is refused gets a complete answer, and no reset by
// the caller ends the process.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { echoPath, get, isGuarded, LAST, withServer } from '../../../test/kinds/connection.ts'
import type { Running } from '../../../test/kinds/listen.ts'
import { answersOf, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'

describe('upgrade and CONNECT', () => {
  const upgrade = (path: string, ...headers: readonly string[]) =>
    get(path, 'Connection: Upgrade', 'Upgrade: echo', ...headers)

  function withUpgrade<T>(use: (app: Running) => Promise<T>): Promise<T> {
    return withServer(echoPath, (app, server) => {
      server.on('upgrade', (_request, socket, head) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
        socket.write(head)
        socket.pipe(socket)
      })
      return use(app)
    })
  }

  test('an upgrade that is let in reaches the application, bytes and all', () =>
    withUpgrade(async (app) => {
      const read = await send(app, `${upgrade('/ws')}hello`, (text) => text.endsWith('hello'))
      assert.ok(read.startsWith('HTTP/1.1 101 Switching Protocols\r\n'))
    }))

  test('a denied upgrade gets a complete answer, and the application hears nothing', () =>
    withUpgrade(async (app) => {
      const answer = parseAnswer(await send(app, upgrade('/a/../ws')))
      assert.equal(answer.status, 400)
      isGuarded(answer)
      assert.equal(JSON.parse(bodyOf(answer)).code, 'path_not_canonical')
      assert.deepEqual(valuesOf(answer, 'Connection'), ['close'])
    }))

  test('a denied upgrade that still has a body gets a complete answer', () =>
    withUpgrade(async (app) => {
      const answer = parseAnswer(await send(app, [`${upgrade('/a/../ws', 'Content-Length: 10')}`, 'half']))
      assert.equal(answer.status, 400)
      isGuarded(answer)
    }))

  test('a denied upgrade waits for the answers before it', () =>
    withServer(
      (request, response) => void setImmediate(() => response.end(`own ${request.url}`)),
      async (app, server) => {
        server.on('upgrade', (_request, socket) => void socket.destroy())
        const answers = answersOf(await send(app, get('/first') + upgrade('/a/../ws')))
        assert.deepEqual(
          answers.map((answer) => answer.status),
          [200, 400],
        )
      },
    ))

  for (const [name, bytes] of [
    ['CONNECT', 'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal\r\n\r\n'],
    ['a denied upgrade', upgrade('/a/../ws')],
    ['garbage', 'GARBAGE\r\n\r\n'],
  ] as const)
    test(`${name}, then a reset by the caller, leaves the server running`, () =>
      withUpgrade(async (app) => {
        const socket = connect(app.port, '127.0.0.1')
        socket.write(bytes)
        await once(socket, 'data')
        socket.resetAndDestroy()
        await once(socket, 'close')
        assert.equal(bodyOf(parseAnswer(await send(app, LAST))), 'own /last')
      }))
})
