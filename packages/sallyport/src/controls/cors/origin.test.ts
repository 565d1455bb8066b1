import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { isOriginFault, parseOrigin } from './origin.ts'

const taken = [
  'https://app.example.com',
  'https://app.example.com:8443',
  'https://xn--mnchen-3ya.example',
  'https://192.0.2.7',
  'https://[2001:db8::1]:8443',
  'https://my_app.example.com',
  'http://localhost',
  'http://localhost:3000',
  'http://app.localhost:3000',
  'http://127.0.0.1:5173',
  'http://[::1]:5173',
  'https://*.example.com',
  'https://*.app.example.com:8443',
  'http://*.localhost:3000',
  'https://*.www.ck',
  'https://github.io',
]

for (const text of taken)
  test(`${text} can be listed`, () => {
    const origin = parseOrigin(text)
    assert.ok(!isOriginFault(origin), isOriginFault(origin) ? origin.message : '')
    assert.equal(
      `${origin.scheme}://${origin.isPattern ? '*.' : ''}${origin.host}${origin.port && ':'}${origin.port}`,
      text,
    )
  })

const refused: readonly (readonly [text: string, kind: string, message: RegExp, mend: RegExp])[] = [
  ['*', 'insecure', /every page of the web/, /bearer: "any-origin"/],
  ['null', 'insecure', /sandboxed frames/, /remove it/],
  ['NULL', 'insecure', /sandboxed frames/, /remove it/],
  ['', 'value', /a scheme/, /https:\/\/app\.example\.com/],
  ['app.example.com', 'value', /a scheme/, /https:\/\/app\.example\.com/],
  ['https:app.example.com', 'value', /a scheme/, /https:\/\/app/],
  ['https://', 'value', /no host/, /https:\/\/app/],
  ['http://app.example.com', 'insecure', /network/, /"https:\/\/app\.example\.com"/],
  ['http://*.example.com', 'insecure', /network/, /"https:\/\/\*\.example\.com"/],
  ['http://localhost.example.com', 'insecure', /network/, /https:/],
  ['http://127.0.0.2', 'insecure', /network/, /https:/],
  ['HTTPS://app.example.com', 'value', /scheme must be https/, /https:/],
  ['chrome-extension://abcdef', 'value', /scheme must be https/, /https:/],
  ['file:///index.html', 'value', /scheme must be https/, /https:/],
  ['ws://app.example.com', 'value', /scheme must be https/, /https:/],
  ['https://app.example.com/', 'value', /slash/, /"https:\/\/app\.example\.com"/],
  ['https://app.example.com/login', 'value', /no path/, /"https:\/\/app\.example\.com"/],
  ['https://app.example.com?x=1', 'value', /no path, query/, /"https:\/\/app\.example\.com"/],
  ['https://app.example.com#top', 'value', /fragment/, /"https:\/\/app\.example\.com"/],
  ['https://me@app.example.com', 'value', /user name/, /"https:\/\/app\.example\.com"/],
  ['https://me:secret@app.example.com', 'value', /user name/, /"https:\/\/app\.example\.com"/],
  ['https://App.Example.com', 'value', /small letters/, /"https:\/\/app\.example\.com"/],
  ['https://app.example.com:443', 'value', /own port/, /"https:\/\/app\.example\.com"/],
  ['http://localhost:80', 'value', /own port/, /"http:\/\/localhost"/],
  ['https://app.example.com:', 'value', /another form/, /"https:\/\/app\.example\.com"/],
  ['https://app.example.com:08443', 'value', /another form/, /:8443"/],
  ['https://app.example.com:70000', 'value', /no host/, /https:/],
  ['https://app.example.com.', 'value', /trailing dot/, /"https:\/\/app\.example\.com"/],
  ['https://münchen.example', 'value', /punycode/, /"https:\/\/xn--mnchen-3ya\.example"/],
  ['https://*.münchen.example', 'value', /punycode/, /"https:\/\/\*\.xn--mnchen-3ya\.example"/],
  ['https://app..example.com', 'value', /letters, digits/, /https:/],
  ['https://-app.example.com', 'value', /letters, digits/, /https:/],
  ['https://app example.com', 'value', /no host/, /https:/],
  ['https://0x7f.1', 'value', /another form/, /127\.0\.0\.1/],
  ['https://*', 'value', /left-most label/, /\*\.example\.com/],
  ['https://*.', 'value', /no host/, /https:/],
  ['https://app.*.com', 'value', /left-most label/, /\*\.example\.com/],
  ['https://app*.example.com', 'value', /left-most label/, /\*\.example\.com/],
  ['https://*app.example.com', 'value', /left-most label/, /\*\.example\.com/],
  ['https://*.*.example.com', 'value', /left-most label/, /\*\.example\.com/],
  ['https://app.example.com:*', 'value', /left-most label/, /\*\.example\.com/],
  ['https://*.192.0.2.7', 'value', /address/, /one by one/],
  ['https://*.[::1]', 'value', /address/, /one by one/],
  ['https://*.com', 'insecure', /below "com"/, /example\.com/],
  ['https://*.co.uk', 'insecure', /below "co\.uk"/, /example\.co\.uk/],
  ['https://*.github.io', 'insecure', /below "github\.io"/, /example\.github\.io/],
  ['https://*.vercel.app', 'insecure', /below "vercel\.app"/, /example\.vercel\.app/],
  ['https://*.any.ck', 'insecure', /below "any\.ck"/, /example/],
  ['https://*.internal', 'insecure', /below "internal"/, /example/],
  // The host is nobody's suffix itself, but strangers have names two labels below it.
  ['https://*.amazonaws.com', 'insecure', /names below ".*amazonaws\.com"/, /exact origins/],
  ['https://*.kobe.jp', 'insecure', /names below "\*\.kobe\.jp"/, /exact origins/],
]

for (const [text, kind, message, mend] of refused)
  test(`${JSON.stringify(text)} can't be listed`, () => {
    const found = parseOrigin(text)
    assert.ok(isOriginFault(found), 'it was taken')
    assert.equal(found.kind, kind)
    assert.match(found.message, message)
    assert.match(found.mend, mend)
  })

test('what a mend says to write is taken, or refused for another reason', () => {
  for (const [text] of refused) {
    const found = parseOrigin(text)
    assert.ok(isOriginFault(found))
    const written = /write "(https?:[^"]*)"/.exec(found.mend)?.[1]
    if (written === undefined) continue
    const again = parseOrigin(written)
    assert.ok(!isOriginFault(again) || again.message !== found.message, `${text} → ${written}`)
  }
})

const almostOrigins = fc
  .tuple(
    fc.constantFrom('https://', 'http://', 'HTTPS://', 'ftp://', '//', ''),
    fc.string({ unit: fc.constantFrom(...'ab.*-_:@/?#[]0129 \t\\%ü') }),
  )
  .map(([scheme, rest]) => scheme + rest)

test('any text is either refused with a mend, or the very text that a browser sends', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), almostOrigins, fc.webUrl()), (text) => {
      const found = parseOrigin(text)
      if (isOriginFault(found)) {
        assert.ok(found.message !== '' && found.mend !== '')
        return
      }
      const sample = text.replace('*', 'a')
      assert.equal(new URL(sample).origin, sample)
    }),
    runs(2000),
  )
})

test('every origin of an https page with a usual host can be listed', () => {
  fc.assert(
    fc.property(fc.domain(), fc.option(fc.integer({ min: 1, max: 65535 })), (host, port) => {
      const { origin } = new URL(`https://${host}${port === null ? '' : `:${port}`}`)
      assert.ok(!isOriginFault(parseOrigin(origin)), origin)
    }),
  )
})
