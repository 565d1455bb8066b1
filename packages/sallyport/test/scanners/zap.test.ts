// What ZAP's passive scan would say of each kind of answer, under Calmony's set as published and with `recommended` over it.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { createPosture, postureMarkdown } from '../../src/posture/page/index.ts'
import { listening } from '../kinds/listen.ts'
import { type Answer, parseAnswer, send } from '../kinds/wire.ts'
import { alertsOf } from './zap-rules.ts'

const app: RequestListener = (request, response) => {
  response.setHeader('X-Powered-By', 'Express')
  if (request.url === '/page') {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end('<!doctype html><title>Pay</title><p>Hello</p>')
    return
  }
  if (request.url === '/moved') return void response.writeHead(302, { Location: '/page' }).end()
  response.setHeader('Content-Type', 'application/json')
  if (request.url === '/payments') return void response.end('{"payments":[]}')
  response.statusCode = request.url === '/fails' ? 500 : 404
  response.end(request.url === '/fails' ? '{"error":"Internal Server Error at /srv/app/pay.js"}' : '{}')
}

const REQUESTS = [
  'GET /page',
  'GET /payments',
  'HEAD /payments',
  'GET /moved',
  'GET /nowhere',
  'GET /fails',
  'OPTIONS /payments',
  'TRACE /',
  'GET /%E0%A4%A',
  'GET //a',
]

async function alerts(context: TestContext, policy: PolicyDocument): Promise<Map<number, string[]>> {
  const running = await listening(createServer(policy, app))
  context.after(() => running.close())
  const found = new Map<number, string[]>()
  const answers: [string, Answer][] = []
  for (const line of REQUESTS)
    answers.push([
      line,
      parseAnswer(
        await send(
          { port: running.port },
          `${line} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
        ),
      ),
    ])
  answers.push(['garbage', parseAnswer(await send({ port: running.port }, 'GARBAGE\r\n\r\n'))])
  for (const [line, answer] of answers)
    for (const { rule, what } of alertsOf(answer))
      found.set(rule, [...(found.get(rule) ?? []), `${line}: ${what}`])
  return found
}

test('C7 with recommended over it no default finding of ZAP is left, but the one that asks for more than RFC 9111', async (context) => {
  const found = await alerts(context, { extends: ['payments', 'recommended'] })
  // `no-store` alone forbids every cache to keep an answer (RFC 9111, section 5.2.2.5); rule 10015 wants no-cache and
  // must-revalidate beside it all the same, and marks it as a note for a person to look at.
  found.delete(10015)
  assert.deepEqual(Object.fromEntries(found), {})
})

test('C7 as published the set leaves findings, and the page says so itself', async (context) => {
  const found = await alerts(context, { extends: 'payments' })
  for (const rule of [10023, 10037, 10038, 10015, 90004]) assert.ok(found.has(rule), `${rule}`)
  const page = postureMarkdown(
    await createPosture({ extends: 'payments' }, { place: 'node', now: Date.now() }),
  )
  assert.match(
    page,
    /The policy says nothing of these, so they are the application’s own: .*Content-Security-Policy/,
  )
})

test('C7 each rule restated here can fire', () => {
  const answer = (headers: readonly (readonly [string, string])[], body = '', status = 200): Answer =>
    parseAnswer(
      `HTTP/1.1 ${status} x\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    )
  const html = ['Content-Type', 'text/html'] as const
  const fires = new Set(
    [
      answer([], '10.0.0.1 0123456789abcdef0123456789abcdef internal error /srv/app/x.js stack trace'),
      answer(
        [
          html,
          ['Set-Cookie', 'a=b'],
          ['Server', 'x/1'],
          ['X-Powered-By', 'x'],
          ['X-Backend-Server', 'x'],
          ['X-ChromeLogger-Data', 'x'],
          ['X-Debug-Token', 'x'],
          ['X-AspNet-Version', '1'],
          ['Access-Control-Allow-Origin', '*'],
          ['WWW-Authenticate', 'Basic realm=x'],
        ],
        '<p>',
      ),
      answer([html, ['Content-Security-Policy', "script-src 'unsafe-inline'"]], '<p>'),
      answer([html], 'nginx/1.2', 500),
    ].flatMap((each) => alertsOf(each).map(({ rule }) => rule)),
  )
  for (const rule of [
    2, 10009, 10010, 10011, 10054, 10015, 10019, 10020, 10021, 10023, 10035, 10036, 10037, 10038, 10039,
    10052, 10055, 10056, 10061, 10063, 10097, 10098, 10105, 90004, 90022, 110009,
  ])
    assert.ok(fires.has(rule), `${rule}`)
})
