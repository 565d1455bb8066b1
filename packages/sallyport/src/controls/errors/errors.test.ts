// The control `errors` on a running server, and its faces.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { listening, type Running } from '../../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer } from '../../adapters/node/index.ts'
import { catalogue, type ErrorCode } from '../../errors/catalogue.ts'
import { errorsMarkdown } from '../../errors/markdown.ts'
import { RETRY } from '../../errors/page.ts'
import { problemBody } from '../../errors/problem-document.ts'
import type { Strength } from '../../guard/control.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { verdictOf } from '../faces.ts'
import { errors } from './index.ts'
import { mayHoldPages } from './pages.ts'
import type { ErrorsSetting } from './setting.ts'

const CODES = Object.keys(catalogue) as ErrorCode[]
const CANARY = 'canary-5f2d at /srv/app.js:12 SELECT * FROM users'

const application: RequestListener = (request, response) => {
  const [, status = '200', type = 'text/plain'] = /^\/(?:raw\/)?(\d+)\/(.*)$/.exec(request.url ?? '') ?? []
  response.writeHead(Number(status), { 'Content-Type': type, 'Retry-After': '5', 'X-Detail': CANARY })
  response.end(CANARY)
}

let app: Running
before(async () => {
  app = await listening(
    createServer(
      {
        extends: 'recommended',
        routes: {
          '/raw/*': { errors: { replaceBodies: 'none' } },
          '/.well-known/acme-challenge/*': {},
          '/:any/x': {},
        },
      },
      application,
    ),
  )
})
after(() => app.close())

async function ask(path: string, method = 'GET'): Promise<Answer> {
  return parseAnswer(
    await send(app, `${method} ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`),
  )
}

describe('the type of a problem', () => {
  for (const code of CODES)
    it(`${code} resolves to a page with cause, mend and whether to retry`, async () => {
      const { type } = JSON.parse(problemBody(code, '')) as { type: string }
      const answer = await ask(type)
      assert.equal(answer.status, 200)
      assert.deepEqual(valuesOf(answer, 'Content-Type'), ['text/html; charset=utf-8'])
      const html = bodyOf(answer)
      const { title, status, cause, mend, retry } = catalogue[code]
      const said = html.replace(/&#(\d+);/g, (_, number: string) => String.fromCharCode(Number(number)))
      for (const text of [code, title, String(status), cause, mend, RETRY[retry]])
        assert.ok(said.includes(text), text)
      assert.match(html, /^<!doctype html><html lang="en">.*<title>[^<]+<\/title>.*<main><h1>/)
      // It reads the same under default-src 'none'.
      assert.doesNotMatch(html, /<(?:script|style|link|img)|style=|src=/i)
    })

  it('has an index that links to every code', async () => {
    for (const path of ['/.well-known/problems/', '/.well-known/problems']) {
      const html = bodyOf(await ask(path))
      for (const code of CODES) assert.ok(html.includes(`href="/.well-known/problems/${code}"`), code)
    }
  })

  it('HEAD is answered without a body', async () => {
    const answer = await ask('/.well-known/problems/internal', 'HEAD')
    assert.equal(answer.status, 200)
    assert.equal(answer.rest, '')
  })

  it('an unknown code is a problem itself', async () => {
    for (const code of ['nothing', 'constructor', '__proto__', 'internal/x']) {
      const answer = await ask(`/.well-known/problems/${code}`)
      assert.equal(answer.status, 404)
      assert.equal(JSON.parse(bodyOf(answer)).code, 'not_found')
    }
  })

  it('other methods are told which are taken', async () => {
    const answer = await ask('/.well-known/problems/internal', 'DELETE')
    assert.equal(answer.status, 405)
    assert.deepEqual(valuesOf(answer, 'Allow'), ['GET, HEAD'])
  })

  it('a plain OPTIONS is left to the application', async () =>
    assert.equal(bodyOf(await ask('/.well-known/problems/internal', 'OPTIONS')), CANARY))

  it('neighbouring paths are the application’s', async () => {
    for (const path of ['/.well-known/problemsx', '/.well-known/acme-challenge/t', '/.well-known/other'])
      assert.equal(bodyOf(await ask(path)), CANARY)
  })

  it('is compiled only into cells that can hold it', () => {
    const holds = (path: string, origin: 'route' | 'default' | 'strict' = 'route') =>
      mayHoldPages({ path, origin })
    assert.deepEqual(
      [
        holds('/v1/*'),
        holds('/*'),
        holds('/:a/*'),
        holds('/.well-known/*'),
        holds('*', 'default'),
        holds('!', 'strict'),
      ],
      [false, true, true, true, true, false],
    )
  })
})

describe('H20 an application’s error', () => {
  for (const status of [500, 502, 503, 599])
    it(`H20 a ${status} gives away nothing but a code`, async () => {
      const answer = await ask(`/${status}/text/html`)
      const text = JSON.stringify(answer)
      assert.equal(answer.status, status)
      assert.ok(!text.includes('canary') && !text.includes('/srv/'), text)
      assert.deepEqual(valuesOf(answer, 'Retry-After'), ['5'])
      assert.equal(JSON.parse(bodyOf(answer)).status, status)
    })

  const shaped: readonly (readonly [path: string, kept: boolean])[] = [
    ['/404/application/json', true],
    ['/422/application/problem+json; charset=utf-8', true],
    ['/404/text/html', false],
    ['/404/application/jsonp', false],
    ['/400/text/json', false],
    ['/200/text/html', true],
    ['/302/text/html', true],
  ]
  for (const [path, kept] of shaped)
    it(`${path} is ${kept ? 'passed on' : 'replaced'} where only JSON errors pass`, async () => {
      const answer = await ask(path.replace(' ', ''))
      assert.equal(bodyOf(answer) === CANARY, kept)
    })

  it('a route may pass all on', async () => {
    assert.equal(bodyOf(await ask('/raw/500/text/html')), CANARY)
  })
})

describe('the faces', () => {
  it('the page lists every code of the catalogue', () => {
    const policy = resolvePolicy({ extends: 'recommended' })
    const { entries, limits } = errors.describe(resolvedFor(policy, errors), 'fetch')
    for (const code of CODES) {
      const entry = entries.find(({ name }) => name === code)
      assert.ok(entry?.value.startsWith(String(catalogue[code].status)), code)
    }
    assert.ok(limits.some((limit) => /host itself/.test(limit)))
  })

  it('pages are not looked for where the control is off for them', () => {
    const policy = resolvePolicy({
      errors: { mode: 'off' },
      routes: { '/x': { errors: { mode: 'enforce' } } },
    })
    assert.deepEqual(
      errors.probe(resolvedFor(policy, errors)).map(({ id }) => id),
      ['errors/malformed'],
    )
  })

  const rows: readonly (readonly [ErrorsSetting, ErrorsSetting, Strength])[] = [
    [{ replaceBodies: 'server' }, { replaceBodies: 'none' }, 'weaker'],
    [{ replaceBodies: 'unshaped' }, { replaceBodies: 'server' }, 'weaker'],
    [{ replaceBodies: 'none' }, { replaceBodies: 'unshaped' }, 'stronger'],
    [{ replaceBodies: 'none' }, {}, 'neutral'],
    [{ replaceBodies: 'server' }, { mode: 'report', replaceBodies: 'server' }, 'weaker'],
  ]
  for (const [from, to, wanted] of rows)
    it(`${JSON.stringify(from)} → ${JSON.stringify(to)} is ${wanted}`, () =>
      assert.equal(verdictOf(errors.compare(from, to)), wanted))

  it('the Markdown has a section for each code', () => {
    const text = errorsMarkdown()
    for (const code of CODES) {
      assert.ok(text.includes(`\n## ${code}\n`))
      assert.ok(text.includes(catalogue[code].mend))
    }
  })
})
