// The claims of Calmony Pay on the real `next start`: the five headers on every kind of answer by one change in
// next.config.ts, nothing else of the API changed, and anyone can check it with curl.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ensureParts, parts } from '../../.ci/parts.ts'
import { type NextConfigShape, withSallyport } from '../../packages/sallyport/src/adapters/next/index.ts'
import { observatoryScore } from '../../packages/sallyport/src/posture/observatory.ts'
import { faults } from '../../packages/sallyport/test/kinds/kinds.ts'
import {
  type Answer,
  bodyOf,
  headIsThere,
  parseAnswer,
  send,
  valuesOf,
} from '../../packages/sallyport/test/kinds/wire.ts'
import { APP, build, type NextProcess, start, variant } from './next-process.ts'

const missing = ensureParts(parts.filter((part) => part.install.includes('examples/calmony-pay')))
const skip = missing.length > 0 && 'Next.js is not installed: npm ci --prefix examples/calmony-pay'

const curl = parts.find((part) => part.name === 'curl')!
const withoutCurl = !curl.present() && `curl is missing: ${curl.install.join(' ')}`

const CLAIMS = {
  C1: ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains; preload'],
  C2: ['X-Frame-Options', 'DENY'],
  C3: ['X-Content-Type-Options', 'nosniff'],
  C4: ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  C5: ['Permissions-Policy', 'camera=(), microphone=(), geolocation=()'],
} as const
const FIVE = Object.values(CLAIMS)

function request(line: string, headers: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  return `${[`${line} HTTP/1.1`, 'Host: api.calmonypay.com', ...headers, ...length, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
}

const WRITER = ['Authorization: Bearer sk_example_write', 'Content-Type: application/json']
const READER = ['Authorization: Bearer sk_example_read']
const PAYMENT = '{"amount":1250,"currency":"GBP","reference":"invoice 7"}'
const preflight = (origin: string) => [`Origin: ${origin}`, 'Access-Control-Request-Method: POST']

/** 25 kinds of answers: what is sent, and the status. */
const kinds: Readonly<Record<string, readonly [bytes: string, status: number]>> = {
  '200, a page': [request('GET /'), 200],
  '200, a page, HEAD': [request('HEAD /'), 200],
  '201': [request('POST /api/payments', WRITER, PAYMENT), 201],
  '204': [request('DELETE /api/payments/none', WRITER), 204],
  '304': [request('GET /', ['If-None-Match: *']), 304],
  '308 of the app': [request('GET /api/legacy'), 308],
  '308 of Next for a trailing slash': [request('GET /api/payments/'), 308],
  '400, broken JSON': [request('POST /api/payments', WRITER, '{"amount":'), 400],
  '401': [request('POST /api/payments', [], PAYMENT), 401],
  '403': [request('POST /api/payments', READER, PAYMENT), 403],
  '404 of the app': [request('GET /api/payments/none'), 404],
  '404 of Next': [request('GET /nowhere'), 404],
  '405': [request('PUT /api/payments'), 405],
  '413': [request('POST /api/payments', WRITER, `"${'x'.repeat(20_000)}"`), 413],
  '500, the handler throws': [request('GET /api/fails'), 500],
  '500, the handler rejects': [request('POST /api/fails'), 500],
  'a preflight': [request('OPTIONS /api/payments', preflight('https://shop.example')), 204],
  'a plain OPTIONS': [request('OPTIONS /api/payments'), 204],
  'server-sent events': [request('GET /api/events'), 200],
  'a body cut off': [request('GET /api/export'), 200],
  'malformed percent-encoding': [request('GET /api/payments/%E0%A4%A'), 500],
  'a garbage request line': ['GARBAGE\r\n\r\n', 400],
  'no Host': ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  'headers too large': [request('GET /', [`X-Large: ${'x'.repeat(40_000)}`]), 431],
  'an unknown Expect': [request('GET /', ['Expect: the-impossible']), 417],
}

async function ask(app: NextProcess, bytes: string): Promise<Answer> {
  return parseAnswer(await send({ port: app.port }, bytes))
}

describe('Calmony Pay under next start', { skip, timeout: 300_000 }, () => {
  let app: NextProcess
  let plain: NextProcess
  let first: Answer
  const seen = new Map<string, Answer>()

  before(async () => {
    const without = variant('without', { 'next.config.ts': 'export default {}\n' })
    await build(APP)
    await build(without)
    app = await start(APP)
    // `next start` listens before it has read its configuration.
    first = await ask(app, request('GET /api/legacy'))
    plain = await start(without)
    for (const [name, [bytes]] of Object.entries(kinds)) seen.set(name, await ask(app, bytes))
  })

  after(async () => {
    await app?.close()
    await plain?.close()
  })

  for (const [claim, [name, value]] of Object.entries(CLAIMS))
    test(`${claim} ${name}: ${value} stands on 25 of 25 kinds of answers`, () => {
      assert.equal(seen.size, 25)
      const wrong = [...seen].flatMap(([kind, answer]) =>
        faults(answer, { exact: { [name]: value }, absent: [] }).map((fault) => `${kind}: ${fault}`),
      )
      assert.deepEqual(wrong, [])
    })

  test('C6 every kind of answer has the status that it has without Sallyport', async () => {
    for (const [name, [bytes, status]] of Object.entries(kinds)) {
      assert.equal(seen.get(name)!.status, status, name)
      assert.equal((await ask(plain, bytes)).status, status, `${name}, without`)
    }
  })

  test('C6 no API behaviour changes: lines and bodies are those without Sallyport, but for the five headers', async () => {
    for (const [name, [bytes]] of Object.entries(kinds)) {
      // What Node's parser refuses has neither a body nor any header without us.
      if (/garbage|no Host|too large|Expect/.test(name)) continue
      const other = await ask(plain, bytes)
      // A path that two programs may read differently is never cached, whatever else a policy says.
      const strict = name === 'malformed percent-encoding' ? ['cache-control'] : []
      const answer = seen.get(name)!
      const [without, body] = isPage(answer) ? [[...strict, 'content-length'], documentOf] : [strict, settled]
      assert.deepEqual(linesOf(answer, without), linesOf(other, without), name)
      for (const [header] of FIVE) assert.deepEqual(valuesOf(other, header), [], `${name} without: ${header}`)
      assert.equal(body(bodyOf(answer)), body(bodyOf(other)), name)
    }
  })

  test('C6 X-Powered-By stays as Next sets it: the preset strips nothing', async () => {
    const other = await ask(plain, kinds['200, a page']![0])
    for (const answer of [seen.get('200, a page')!, other])
      assert.deepEqual(valuesOf(answer, 'X-Powered-By'), ['Next.js'])
  })

  test('C6 it is one change: the configuration without Sallyport is one line away', () => {
    const source = readFileSync(`${APP}next.config.ts`, 'utf8')
    assert.equal(source.match(/withSallyport\(/g)?.length, 1)
    assert.match(source, /^export default withSallyport\(nextConfig, \{ extends: 'payments'/m)
  })

  test('C6 the very first answer of the process is under the policy', () => {
    assert.deepEqual(faults(first, { exact: Object.fromEntries(FIVE), absent: [] }), [])
  })

  test('C6 an upgrade that Next does not take is closed as without Sallyport', async () => {
    const bytes = request('GET /', ['Upgrade: websocket', 'Sec-WebSocket-Version: 13']).replace(
      'Connection: close',
      'Connection: upgrade',
    )
    const read = (where: NextProcess) => send({ port: where.port }, bytes, headIsThere)
    assert.equal(await read(app), await read(plain))
  })

  test('C8 curl -I shows the five headers', { skip: withoutCurl }, async () => {
    const { stdout } = await promisify(execFile)('curl', ['-sI', `http://127.0.0.1:${app.port}/`])
    for (const [name, value] of FIVE) assert.ok(stdout.includes(`\r\n${name}: ${value}\r\n`), name)
  })

  test('C8 by the Observatory’s algorithm the set as published scores B, for want of a Content-Security-Policy', () => {
    const { headers } = seen.get('404 of the app')!
    const { grade, score, tests } = observatoryScore({ headers, encrypted: true })
    assert.deepEqual([grade, score], ['B', 75])
    const lost = tests.filter(({ modifier }) => modifier < 0)
    assert.deepEqual(
      lost.map(({ modifier }) => modifier),
      [-25],
      JSON.stringify(lost),
    )
    assert.match(lost[0]!.test, /content-security-policy|csp/i)
  })
})

test('C8 with the recommended preset laid over it the set scores A+', async () => {
  const configure = withSallyport<NextConfigShape>({}, { extends: ['payments', 'recommended'] })
  const config = await configure('phase-production-build', { defaultConfig: {} })
  const [everywhere] = (await config.headers?.()) ?? []
  const headers = everywhere!.headers.map(({ key, value }) => [key, value] as const)
  assert.equal(observatoryScore({ headers, encrypted: true }).grade, 'A+')
})

// What differs from run to run: the date, and whether Next rendered the page already.
const UNSTEADY = new Set(['date', 'x-nextjs-cache', ...FIVE.map(([name]) => name.toLowerCase())])

function linesOf(answer: Answer, without: readonly string[]): string[] {
  return answer.headers
    .filter(([name]) => !UNSTEADY.has(name.toLowerCase()) && !without.includes(name.toLowerCase()))
    .map(([name, value]) => `${name.toLowerCase()}: ${settled(value)}`)
    .sort()
}

// Ids are random, and each build names its chunks and pages anew.
function settled(text: string): string {
  return text
    .replace(/pay_[0-9a-f-]{36}/g, 'pay_…')
    .replace(/\/_next\/static\/[^"\\]+/g, '/_next/static/…')
    .replace(/"[\w-]{9,30}\\?"/g, '"…"')
}

// Which scripts a page loads, the pieces of React's data beside it, and even the order of two titles in its head depend
// on which part of it was rendered first. The same elements are what counts.
function documentOf(text: string): string {
  return settled(text.replace(/<script\b.*?<\/script>|<link\b[^>]*>/gs, ''))
    .split(/(?=<)/)
    .sort()
    .join('')
}

function isPage(answer: Answer): boolean {
  return valuesOf(answer, 'Content-Type').some((type) => type.startsWith('text/html'))
}
