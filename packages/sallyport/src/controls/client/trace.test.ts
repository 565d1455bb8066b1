import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isRequestId, randomHex } from './identifiers.ts'
import { nextTraceparent, parseTraceparent } from './trace.ts'

const TRACE = '12345678901234567890123456789012'
const PARENT = '1234567890123456'

describe('traceparent', () => {
  const rows: readonly (readonly [value: string, valid: boolean, why: string])[] = [
    [
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      true,
      'the first example of the specification',
    ],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00', true, 'not sampled'],
    [`00-${TRACE}-${PARENT}-ff`, true, 'flags to come'],
    [`cc-${TRACE}-${PARENT}-01`, true, 'a version to come'],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, true, 'a version to come, with more fields'],
    [`cc-${TRACE}-${PARENT}-01.what-the-future-will-not-be-like`, false, 'more without a dash'],
    [`00-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, false, 'version 00 has four fields'],
    [`00-${TRACE}-${PARENT}-01.`, false, 'version 00 has 55 characters'],
    [`ff-${TRACE}-${PARENT}-01`, false, 'version ff is forbidden'],
    [`.0-${TRACE}-${PARENT}-01`, false, 'the version is not hexadecimal'],
    [`0-${TRACE}-${PARENT}-01`, false, 'the version is short'],
    [`000-${TRACE}-${PARENT}-01`, false, 'the version is long'],
    [`00-${'0'.repeat(32)}-${PARENT}-01`, false, 'the trace id is zero'],
    [`00-.${TRACE.slice(1)}-${PARENT}-01`, false, 'the trace id is not hexadecimal'],
    [`00-${TRACE.slice(1)}-${PARENT}-01`, false, 'the trace id is short'],
    [`00-${TRACE}3-${PARENT}-01`, false, 'the trace id is long'],
    [`00-${'A'.repeat(32)}-${PARENT}-01`, false, 'the trace id is in capitals'],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, false, 'the parent id is zero'],
    [`00-${TRACE}-.${PARENT.slice(1)}-01`, false, 'the parent id is not hexadecimal'],
    [`00-${TRACE}-${PARENT.slice(1)}-01`, false, 'the parent id is short'],
    [`00-${TRACE}-${PARENT}7-01`, false, 'the parent id is long'],
    [`00-${TRACE}-${PARENT}-.0`, false, 'the flags are not hexadecimal'],
    [`00-${TRACE}-${PARENT}-1`, false, 'the flags are short'],
    [`00-${TRACE}-${PARENT}-001`, false, 'the flags are long'],
    [`00-${TRACE}-${PARENT}`, false, 'no flags'],
    ['', false, 'nothing'],
  ]
  for (const [value, valid, why] of rows)
    it(`${valid ? 'is continued' : 'starts anew'}: ${why}`, () =>
      assert.equal(parseTraceparent(value) !== undefined, valid))

  const fixed = () => '00f067aa0ba902b7'

  it('a trace keeps its id and its known flags, and gets a parent id of our own in version 00', () => {
    const next = (value: string) => nextTraceparent(parseTraceparent(value), fixed)
    assert.equal(next(`00-${TRACE}-${PARENT}-01`), `00-${TRACE}-00f067aa0ba902b7-01`)
    assert.equal(next(`00-${TRACE}-${PARENT}-02`), `00-${TRACE}-00f067aa0ba902b7-02`)
    assert.equal(next(`00-${TRACE}-${PARENT}-fc`), `00-${TRACE}-00f067aa0ba902b7-00`)
    assert.equal(next(`cc-${TRACE}-${PARENT}-ff-more`), `00-${TRACE}-00f067aa0ba902b7-03`)
  })

  it('a new trace is valid even where the randomness is all zeros', () => {
    const zeros = randomHex((bytes) => bytes.fill(0))
    assert.deepEqual(parseTraceparent(nextTraceparent(undefined, zeros)), {
      traceId: `${'0'.repeat(31)}1`,
      parentId: `${'0'.repeat(15)}1`,
      sampled: true,
      random: true,
    })
  })

  it('reads any text without throwing, and hands on only what is valid', () => {
    const near = fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const random = (bytes: number) => 'a1'.repeat(bytes)
        assert.ok(parseTraceparent(nextTraceparent(parseTraceparent(text), random)))
      }),
    )
  })
})

describe('identifiers', () => {
  it('the source is asked for 4,096 bytes at a time, and every byte is used once', () => {
    let calls = 0
    const random = randomHex((bytes) => {
      calls++
      assert.equal(bytes.length, 4096)
      for (let i = 0; i < bytes.length; i++) bytes[i] = i & 0xff
      return bytes
    })
    assert.equal(calls, 0)
    assert.equal(random(16), '000102030405060708090a0b0c0d0e0f')
    assert.equal(random(8), '1011121314151617')
    assert.equal(random(16), '18191a1b1c1d1e1f2021222324252627')
    for (let i = 0; i < 253; i++) random(16)
    assert.equal(calls, 1)
    random(16)
    assert.equal(calls, 2)
  })

  it('ids of real randomness do not repeat', () => {
    const random = randomHex((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>))
    const ids = new Set(Array.from({ length: 2000 }, () => random(16)))
    assert.equal(ids.size, 2000)
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/)
  })

  it('only plain ids of 8 to 128 characters are taken over', () => {
    for (const id of ['12345678', 'a'.repeat(128), 'req_01.HX-7'.padEnd(8)])
      assert.equal(isRequestId(id), true, id)
    for (const id of [
      '',
      '1234567',
      'a'.repeat(129),
      'abc def gh',
      'abcdefgh\r\nX: 1',
      'abcdefgh"',
      '<script>1',
      'äääääääää',
    ])
      assert.equal(isRequestId(id), false, id)
  })
})
