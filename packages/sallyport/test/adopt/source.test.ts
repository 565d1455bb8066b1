// Options read from the source of an application, which is never run; and what the steps say of what they would open.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { adopt } from '../../src/posture/adopt/adopt.ts'
import { observe } from '../../src/posture/adopt/observed.ts'
import { observeOptions } from '../../src/posture/adopt/options.ts'
import { optionsInSource } from '../../src/posture/adopt/source.ts'
import type { Captured } from '../../src/posture/verify/captured.ts'

const read = (source: string) => optionsInSource(source)

describe('options in the source of an application', () => {
  for (const [what, source, options, notes = []] of [
    [
      'Express, with imports by other names',
      `import express from 'express'
import secure from 'helmet'
import { rateLimit as limiter } from "express-rate-limit"
const cross = require('cors')
// helmet({ frameguard: false })
app.use(secure({ frameguard: { action: 'deny' }, hsts: { maxAge: 365 * 24 * 60 * 60, preload: true } }))
app.use(cross({ origin: ['https://a.example', \`https://b.example\`], credentials: true }))
app.use(limiter({ windowMs: 15 * 60 * 1_000, limit: 100 }))`,
      {
        helmet: { frameguard: { action: 'deny' }, hsts: { maxAge: 31_536_000, preload: true } },
        cors: { origin: ['https://a.example', 'https://b.example'], credentials: true },
        rateLimit: [{ windowMs: 900_000, limit: 100 }],
      },
    ],
    [
      'constants, types, spreads and shorthands',
      `import cors, { type CorsOptions } from 'cors'
const origin: string[] = ['https://a.example'] as const
const base = { credentials: true, maxAge: 5 }
export const corsOptions: CorsOptions = { origin, ...base, 'maxAge': 600 } satisfies CorsOptions
app.use(cors(corsOptions))`,
      { cors: { origin: ['https://a.example'], credentials: true, maxAge: 600 } },
    ],
    [
      'plug-ins of Fastify',
      `import helmet from '@fastify/helmet'
import cors from '@fastify/cors'
await app.register(helmet, { xFrameOptions: { action: 'deny' } })
await app.register(cors)`,
      { helmet: { xFrameOptions: { action: 'deny' } }, cors: {} },
    ],
    [
      'what is computed, and stays unknown',
      `app.use(helmet({ contentSecurityPolicy: { directives: { ...helmet.contentSecurityPolicy.getDefaultDirectives(), 'img-src': ['*'] } }, hsts: { maxAge: Number(process.env.AGE) }, noSniff: true }))`,
      { helmet: { contentSecurityPolicy: false, hsts: false, noSniff: true } },
      [
        "helmet.contentSecurityPolicy of line 1 is computed: the header stays the application's",
        "helmet.hsts of line 1 is computed: the header stays the application's",
      ],
    ],
    [
      'options that are computed altogether',
      `app.use(helmet(load()))\napp.use(cors({ origin: false }))`,
      { cors: { origin: false } },
      ['helmet of line 1: its options are computed, and not read'],
    ],
    [
      'several calls of one',
      `app.use(cors({ origin: 'https://a.example' })); app.get('/x', cors({ origin: '*' }), handler)`,
      { cors: { origin: 'https://a.example' } },
      ['cors is called 2 times: the first is taken for the whole API, see whether it is'],
    ],
    [
      'regular expressions, templates and comments on the way',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source that is read
      "const a = /helmet\\(\\{[\"'`]/.test(b) /* ` */; const c = `${d ? `x${e}` : '}'} helmet({ hsts: false })`\napp.use(helmet())",
      { helmet: {} },
    ],
  ] as const)
    it(`are read: ${what}`, () => {
      assert.deepEqual(read(source), { options, notes })
    })

  it('are none where the three are only spoken of', () => {
    for (const source of [
      '',
      'import helmet from "helmet"',
      'function cors() {}',
      'x.helmet({})',
      '"helmet()"',
      '// cors()',
    ])
      assert.equal(read(source), undefined, source)
  })

  it('keep functions and patterns of origins as what is not known', () => {
    const { options } = read(`app.use(cors({ origin: ['https://a.example', /b$/], methods: () => [] }))`)!
    assert.deepEqual(observeOptions(options)?.corsOrigins, ['https://a.example'])
    assert.match(observeOptions(options)!.notes.join(), /cors\.origin has a function: list the origins/)
  })

  it('are never more than the text says, whatever the text', () => {
    const piece = fc.constantFrom(
      ...'helmet( cors( rateLimit( const a = b c : , ... { } [ ] ( ) ; => * / ` ${ \\ " \' // /* */ 1 true register( import from require \n'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 200 }),
        (pieces) => {
          const found = read(pieces.join(' '))
          if (found) assert.doesNotThrow(() => observeOptions(found.options))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('end, where constants unfold without end', () => {
    const chain = Array.from({ length: 60 }, (_, i) => `const a${i} = [a${i + 1}, a${i + 1}]`).join('\n')
    assert.ok(read(`${chain}\nconst a60 = a0\napp.use(cors({ origin: a0 }))`))
    assert.ok(read(`app.use(cors(${'{ a: ['.repeat(5_000)}`))
  })
})

function answered(
  path: string,
  headers: Captured['answer']['headers'],
  request: readonly (readonly [string, string])[] = [],
): Captured {
  return {
    origin: 'https://api.example',
    request: { method: 'GET', path, headers: request },
    answer: { status: 200, headers, body: '', encrypted: true },
  }
}

const stepOf = async (captured: readonly Captured[], setting: string) =>
  (await adopt({ kind: 'har', captured })).steps.find((step) => step.setting === setting)!

const KEPT = ['Cache-Control', 'public, max-age=60'] as const

describe('the steps of an adoption', () => {
  it('say what becomes possible with data: public, and advise it for nothing that looks like somebody’s own', async () => {
    const { breaks } = await stepOf(
      [
        answered('/v1/prices', [KEPT]),
        answered('/v1/account?x=1', [KEPT]),
        answered('/v1/news', [KEPT, ['Set-Cookie', 'a=1']]),
        answered('/v1/feed', [KEPT], [['Authorization', 'Bearer x']]),
        answered('/v1/list', [KEPT, ['Vary', 'Cookie']]),
      ],
      'cache',
    )
    const text = breaks.join('\n')
    assert.match(
      text,
      /^Of \/v1\/prices declare only what is the same for everybody: routes: \{ '\/v1\/prices': \{ data: 'public'/m,
    )
    assert.match(
      text,
      /^Whatever is declared so, anybody can call without a credential, and any cache .* hand it to others\.$/m,
    )
    assert.match(
      text,
      /^Do not declare these public: \/v1\/account \(its name says that it is somebody’s own\), \/v1\/news \(it sets a cookie\), \/v1\/feed \(it was asked for with a credential\), \/v1\/list \(it varies with the credential\)\. A shared cache could/m,
    )
    const alone = await stepOf([answered('/v1/account', [KEPT])], 'cache')
    assert.doesNotMatch(alone.breaks.join('\n'), /data: 'public'/)
  })

  it('never write bearer: any-origin, and say what it would open', async () => {
    const open = await stepOf([answered('/', [['Access-Control-Allow-Origin', '*']])], 'cors')
    assert.doesNotMatch(open.snippet, /any-origin/)
    assert.match(
      open.breaks.join('\n'),
      /'any-origin' would keep that: then any page on the web that comes by a token can call the API/,
    )
  })

  it('take no origin that was made up for a page of the user’s', async () => {
    const reflects = await adopt({
      kind: 'options',
      observed: observe([
        {
          method: 'GET',
          path: '/',
          status: 200,
          headers: [
            ['Access-Control-Allow-Origin', 'https://sallyport-probe.invalid'],
            ['Access-Control-Allow-Credentials', 'true'],
          ],
        },
      ]),
    })
    const step = reflects.steps.find(({ setting }) => setting === 'cors')!
    assert.doesNotMatch(step.snippet, /invalid/)
    assert.match(
      step.breaks[0]!,
      /^An origin that we made up was let in with credentials: any page on the web can now read/,
    )
  })
})
