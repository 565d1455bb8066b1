// The way down from HTTP/2 to HTTP/1.1: what must be refused never reaches the upstream, what is accepted reaches it
// as one request, and the next caller's answer on the upstream's connections is the next caller's.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { ask, gatewayFor, HERE, type Running } from './harness.ts'
import { type DowngradeCase, pseudo } from './http2-cases/case.ts'
import { fieldCases } from './http2-cases/fields.ts'
import { pseudoCases } from './http2-cases/pseudo.ts'
import { frame, headers, rawHttp2, type Seen, TYPE, word } from './http2-frames.ts'

interface Subject extends Running {
  /** The bytes that reached the upstream since the last call, and the requests that its parser saw in them. */
  taken(): { readonly bytes: string; readonly requests: readonly string[] }
}

async function subjectFor(context: TestContext, policy: PolicyDocument = HERE): Promise<Subject> {
  let bytes = ''
  let requests: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    request.on('error', () => {})
    request.on('end', () => {
      requests.push(`${request.method} ${request.url}`)
      response.end(request.url)
    })
  })
  server.on('connection', (socket) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running = await gatewayFor(context, { policy, upstream })
  return {
    ...running,
    taken() {
      const before = { bytes, requests }
      bytes = ''
      requests = []
      return before
    },
  }
}

const isOver = ({ ended, goaway }: Seen): boolean => ended.size > 0 || goaway !== undefined

async function run(subject: Subject, { frames }: DowngradeCase) {
  const connection = await rawHttp2(subject)
  connection.send(...frames)
  const seen = await (frames.at(-1)![3] === TYPE.reset
    ? Promise.resolve(connection.seen)
    : connection.until(isOver))
  connection.socket.end()
  await connection.until(() => false)
  const { bytes, requests } = subject.taken()
  // Over HTTP/1.1, on a connection of its own: what the two share is the upstream's connections.
  const after = await ask(subject, '/after')
  assert.deepEqual([after.status, after.body], [200, '/after'], 'the next request of another client')
  const late = subject.taken()
  return { seen, bytes, requests: [...requests, ...late.requests], late: late.bytes }
}

function judge(raw: DowngradeCase, { seen, bytes, requests, late }: Awaited<ReturnType<typeof run>>): void {
  const { expected } = raw
  assert.equal(requests.at(-1), 'GET /after')
  assert.doesNotMatch(late, /\/case|evil/)
  if (expected.kind === 'refuse') {
    assert.equal(bytes, '', 'reached the upstream')
    for (const status of seen.statuses.values()) assert.ok(status >= 400, `answered ${status}`)
    return
  }
  assert.ok(requests.length <= 2, `the upstream saw ${requests}`)
  if (expected.absent !== undefined) assert.doesNotMatch(bytes, expected.absent)
  if (expected.kind === 'strip') return
  assert.deepEqual(requests, [expected.line, 'GET /after'])
  assert.ok(bytes.startsWith(`${expected.line} HTTP/1.1\r\n`), bytes)
  assert.deepEqual([...seen.statuses.values()], [200])
  for (const line of expected.present ?? []) assert.match(bytes, line)
}

for (const [kind, cases] of [
  ['pseudo-fields', pseudoCases],
  ['fields and bodies', fieldCases],
] as const)
  test(`no request is made of an attack on the way to HTTP/1.1: ${kind}`, async (context) => {
    const subject = await subjectFor(context)
    for (const raw of cases)
      await context.test(`${raw.name} (${raw.source})`, async () => judge(raw, await run(subject, raw)))
  })

// On HTTP/1.1 these would not pass Node's parser, whatever the policy says.
const WITHOUT_POLICY =
  /CONNECT|without a slash|begins with @|absolute path|another scheme|as the scheme|in the path$/

test('what is no request of HTTP/1.1 at all is refused where the policy does not ask for it', async (context) => {
  const subject = await subjectFor(context, { ...HERE, request: { mode: 'off' } })
  const cases = pseudoCases.filter(
    ({ name }) => WITHOUT_POLICY.test(name) && !/fragment|byte over|backslash/.test(name),
  )
  assert.ok(cases.length >= 12)
  for (const raw of cases)
    await context.test(`${raw.name} (${raw.source})`, async () => judge(raw, await run(subject, raw)))
})

test('a request whose body is broken off by a reset without an error is never taken for whole', async (context) => {
  const subject = await subjectFor(context)
  for (const method of ['POST', 'HEAD'])
    for (const code of [0, 8]) {
      const connection = await rawHttp2(subject)
      const settle = async (pings: number) => {
        connection.send(frame(TYPE.ping, 0, 0, '12345678'))
        await connection.until(({ counts }) => counts.get(TYPE.ping) === pings)
      }
      connection.send(headers(1, pseudo({ ':method': method }), 0), frame(TYPE.data, 0, 1, 'half a body'))
      // What was sent before is read when the answer is here, and handed on soon after.
      await settle(1)
      await settle(2)
      connection.send(frame(TYPE.reset, 0, 1, word(code)))
      await settle(3)
      await settle(4)
      assert.equal((await ask(subject, '/after')).body, '/after')
      const { bytes, requests } = subject.taken()
      assert.deepEqual(requests, ['GET /after'], `${method} ${code}`)
      assert.doesNotMatch(bytes, /case/, `${method} ${code}`)
      connection.socket.destroy()
    }
})

test('there are enough cases, and each has a name of its own', () => {
  const names = [...pseudoCases, ...fieldCases].map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.length >= 40)
})
