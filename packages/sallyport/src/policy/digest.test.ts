import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, digest } from './digest.ts'

test('numbers are written as in RFC 8785, appendix B', () => {
  const samples: readonly (readonly [bits: string, written: string])[] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ]
  for (const [bits, written] of samples) assert.equal(canonicalJson(ofBits(bits)), written, bits)
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])
    assert.throws(() => canonicalJson(ofBits(bits)), /3\.2\.2\.3/)
})

function ofBits(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE(0)
}

test('strings, literals and numbers are written as in RFC 8785, section 3.2.2', () => {
  const sample = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  )
  assert.equal(
    canonicalJson(sample),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('members are sorted by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
  const sample = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  assert.deepEqual(Object.values(JSON.parse(canonicalJson(sample)) as object).length, 7)
  assert.deepEqual(
    [...canonicalJson(sample).matchAll(/:"([^"]*)"/g)].map(([, value]) => value),
    [
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ],
  )
})

test('what JSON cannot carry is refused, never left out', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['\ud800', /lone surrogate/],
    [{ '\udc00': 1 }, /lone surrogate/],
    [() => 1, /a function/],
    [{ a: Symbol('x') }, /a symbol/],
    [1n, /a bigint/],
    [[undefined], /a undefined/],
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    [[1, , 2], /a undefined/],
    [new Date(0), /an instance of a class/],
    [new Map(), /an instance of a class/],
  ]
  for (const [value, message] of cases) assert.throws(() => canonicalJson(value), message)
})

test('the digest is SHA-256 over the UTF-8 bytes of the canonical form', async () => {
  // printf '{"a":"€"}' | sha256sum
  assert.equal(
    await digest({ a: '€' }),
    'sha256:db8566e7dc218a6795f689fe26667214b263a2443d9966d00742cbd38019c33e',
  )
})

const json = fc.jsonValue({ maxDepth: 4 })

function reordered(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, seed))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, reordered(member, seed)] as const)
  const turn = members.length === 0 ? 0 : seed % members.length
  return Object.fromEntries([...members.slice(turn), ...members.slice(0, turn)].reverse())
}

test('the order of members never changes the canonical form', () => {
  fc.assert(
    fc.property(json, fc.nat(7), (value, seed) => {
      assert.equal(canonicalJson(reordered(value, seed)), canonicalJson(value))
    }),
  )
})

test('two values have one canonical form only where they are the same value', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      // Read back: -0 and 0 are one number of JSON.
      const same = canonicalJson(a) === canonicalJson(b)
      assert.equal(same, isSame(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))))
      assert.deepEqual(JSON.parse(canonicalJson(a)), JSON.parse(JSON.stringify(a)))
    }),
  )
})

test('any change of one leaf changes the canonical form', () => {
  fc.assert(
    fc.property(fc.array(json, { minLength: 1 }), fc.nat(), (list, at) => {
      const changed = list.with(at % list.length, [list[at % list.length]!])
      assert.notEqual(canonicalJson(changed), canonicalJson(list))
    }),
  )
})

function isSame(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}
