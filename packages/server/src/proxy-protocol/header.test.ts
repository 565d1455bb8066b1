import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import { crc32c } from './crc32c.ts'
import { MAX_HEADER, type ProxyHeader, readProxyHeader } from './header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'

const text = (line: string): Buffer => Buffer.from(line, 'latin1')
/** Version 2: the bytes behind the signature and before the length, and those behind it, in hexadecimal. */
function binary(commandAndFamily: string, rest = ''): Buffer {
  const length = (rest.length / 2).toString(16).padStart(4, '0')
  return Buffer.from(SIGNATURE + commandAndFamily + length + rest, 'hex')
}

const SIX = '20010db8000000000000000000000001'

/** The same with its checksum, which stands between two other extensions. */
function withChecksum(change = 0): Buffer {
  const bytes = binary('2111', `c0000207c6336401dc0401bb${'0100026832'}${'030004'}${'00000000'}${'040000'}`)
  const sum = crc32c(bytes)
  bytes.writeUInt32BE((sum ^ change) >>> 0, bytes.length - 7)
  return bytes
}

const GOOD: readonly (readonly [what: string, bytes: Buffer, source: object | undefined])[] = [
  ['TCP4', text('PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n'), { address: '192.0.2.7', port: 56_324 }],
  [
    'the longest TCP6, in its canonical form',
    text(
      'PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n',
    ),
    { address: '2001:db8::1', port: 65_535 },
  ],
  [
    'TCP6 of an IPv4 address',
    text('PROXY TCP6 ::ffff:192.0.2.7 ::1 0 1\r\n'),
    { address: '192.0.2.7', port: 0 },
  ],
  ['UNKNOWN alone', text('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with what is passed over', text('PROXY UNKNOWN ffff::1 what ever\r\n'), undefined],
  ['IPv4', binary('2111', 'c0000207c6336401dc0401bb'), { address: '192.0.2.7', port: 56_324 }],
  ['IPv6', binary('2121', `${SIX}${SIX}dc0401bb`), { address: '2001:db8::1', port: 56_324 }],
  [
    'IPv6 of an IPv4 address',
    binary('2121', `00000000000000000000ffffc0000207${SIX}000101bb`),
    { address: '192.0.2.7', port: 1 },
  ],
  [
    'extensions are passed over',
    binary('2111', `c0000207c6336401dc0401bb${'0100026832'}${'040000'}`),
    { address: '192.0.2.7', port: 56_324 },
  ],
  ['a checksum that is right', withChecksum(), { address: '192.0.2.7', port: 56_324 }],
  ['a Unix socket', binary('2131', '00'.repeat(216)), undefined],
  ['not known', binary('2100'), undefined],
  ['not known, with something behind it', binary('2100', 'ffff'), undefined],
  ['LOCAL', binary('2000'), undefined],
  ['LOCAL, whatever family it names', binary('20ff', 'abcdef'), undefined],
]

for (const [what, bytes, source] of GOOD)
  test(`a header is read: ${what}`, () => {
    const request = text('GET / HTTP/1.1\r\n\r\n')
    assert.deepEqual(readProxyHeader(Buffer.concat([bytes, request])), {
      kind: 'header',
      length: bytes.length,
      source,
    })
    for (let end = 0; end < bytes.length; end++)
      assert.deepEqual(readProxyHeader(bytes.subarray(0, end)), { kind: 'more' }, `${end} bytes`)
  })

const BAD: readonly (readonly [what: string, bytes: Buffer, why: string])[] = [
  ['a request', text('GET / HTTP/1.1\r\n'), 'no-header'],
  ['a request that begins alike', text('PROPFIND / HTTP/1.1\r\n'), 'no-header'],
  ['a greeting of TLS', Buffer.from('160301020001', 'hex'), 'no-header'],
  ['small letters', text('proxy TCP4 192.0.2.7 192.0.2.1 1 1\r\n'), 'no-header'],
  ['a space before', text(' PROXY UNKNOWN\r\n'), 'no-header'],
  ['another signature', Buffer.from(`${SIGNATURE.slice(0, -2)}0b2000`, 'hex'), 'no-header'],
  ['UDP', text('PROXY UDP4 192.0.2.7 192.0.2.1 1 1\r\n'), 'protocol'],
  ['no protocol', text('PROXY \r\n'), 'protocol'],
  ['two spaces', text('PROXY  TCP4 192.0.2.7 192.0.2.1 1 1\r\n'), 'protocol'],
  ['two spaces further on', text('PROXY TCP4 192.0.2.7  192.0.2.1 1 1\r\n'), 'malformed'],
  ['a space at the end', text('PROXY TCP4 192.0.2.7 192.0.2.1 1 1 \r\n'), 'malformed'],
  ['a line feed alone', text('PROXY TCP4 192.0.2.7 192.0.2.1 1 1\n'), 'malformed'],
  ['a carriage return alone', text('PROXY TCP4 192.0.2.7 192.0.2.1 1 1\rX'), 'malformed'],
  ['a tab', text('PROXY TCP4\t192.0.2.7'), 'malformed'],
  ['a byte above ASCII', text('PROXY UNKNOWN \xe9'), 'malformed'],
  ['a zero byte', text('PROXY UNKNOWN \0'), 'malformed'],
  ['a name', text('PROXY TCP4 localhost 192.0.2.1 1 1\r\n'), 'malformed'],
  ['an octal address', text('PROXY TCP4 010.0.0.1 192.0.2.1 1 1\r\n'), 'malformed'],
  ['an IPv6 address as TCP4', text('PROXY TCP4 ::1 192.0.2.1 1 1\r\n'), 'malformed'],
  ['an IPv4 address as TCP6', text('PROXY TCP6 192.0.2.7 ::1 1 1\r\n'), 'malformed'],
  ['a wrong destination', text('PROXY TCP4 192.0.2.7 192.0.2 1 1\r\n'), 'malformed'],
  ['a zone', text('PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n'), 'malformed'],
  ['a port too great', text('PROXY TCP4 192.0.2.7 192.0.2.1 65536 1\r\n'), 'malformed'],
  ['a destination port too great', text('PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n'), 'malformed'],
  ['a port with a zero before', text('PROXY TCP4 192.0.2.7 192.0.2.1 01 1\r\n'), 'malformed'],
  ['a port with a sign', text('PROXY TCP4 192.0.2.7 192.0.2.1 +1 1\r\n'), 'malformed'],
  ['no port', text('PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n'), 'malformed'],
  ['a line of 108 bytes', text(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`), 'too-long'],
  ['version 1 in binary', binary('1111', '00'.repeat(12)), 'protocol'],
  ['another command', binary('2211', '00'.repeat(12)), 'protocol'],
  ['another family', binary('2141', '00'.repeat(12)), 'protocol'],
  ['datagrams', binary('2112', '00'.repeat(12)), 'protocol'],
  ['IPv4 without a protocol', binary('2110', '00'.repeat(12)), 'protocol'],
  ['too few bytes for IPv4', binary('2111', '00'.repeat(11)), 'malformed'],
  ['too few bytes for IPv6', binary('2121', '00'.repeat(35)), 'malformed'],
  ['too few bytes for a Unix socket', binary('2131', '00'.repeat(215)), 'malformed'],
  ['an extension without its length', binary('2111', `${'00'.repeat(12)}0100`), 'malformed'],
  ['an extension longer than the header', binary('2111', `${'00'.repeat(12)}01000568`), 'malformed'],
  ['a checksum that is wrong', withChecksum(1), 'checksum'],
  ['a checksum of three bytes', binary('2111', `${'00'.repeat(12)}030003000000`), 'malformed'],
  ['two checksums', binary('2111', `${'00'.repeat(12)}${'03000400000000'.repeat(2)}`), 'malformed'],
  ['a checksum beyond the end', binary('2111', `${'00'.repeat(12)}03000400`), 'malformed'],
  ['more than a header may be', binary('2111', '00'.repeat(4_097)), 'too-long'],
  ['far more than a header may be', Buffer.from(`${SIGNATURE}2111ffff`, 'hex'), 'too-long'],
]

for (const [what, bytes, why] of BAD)
  test(`a header is refused: ${what}`, () => {
    assert.deepEqual(readProxyHeader(bytes), { kind: 'wrong', why })
  })

test('the longest line of version 1 is 107 bytes, and the longest header of version 2 is 4,112', () => {
  const line = text(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)
  assert.equal(line.length, 107)
  assert.equal(readProxyHeader(line).kind, 'header')
  const longest = binary(
    '2111',
    `${'00'.repeat(12)}04${(4_096 - 15).toString(16).padStart(4, '0')}${'00'.repeat(4_096 - 15)}`,
  )
  assert.equal(longest.length, MAX_HEADER)
  assert.equal(readProxyHeader(longest).kind, 'header')
  // The first byte of the length says it already.
  assert.equal(readProxyHeader(Buffer.from(`${SIGNATURE}211111`, 'hex')).kind, 'wrong')
})

/** Reads as a connection does: whenever some bytes have come. */
function readInParts(bytes: Buffer, ends: readonly number[]): ProxyHeader {
  for (const end of ends) {
    const header = readProxyHeader(bytes.subarray(0, end))
    if (header.kind !== 'more') return header
  }
  return readProxyHeader(bytes)
}

// Headers, and headers with some bytes changed, so that what is nearly right is tried too.
const nearlyHeaders = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...[...GOOD, ...BAD].map(([, bytes]) => bytes)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.constantFrom('2111', '2121', '2131', '2100', '20ff'), fc.uint8Array({ maxLength: 300 }))
        .map(([head, rest]) => binary(head, Buffer.from(rest).toString('hex'))),
    ),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }),
    fc.uint8Array({ maxLength: 20 }),
  )
  .map(([bytes, changes, behind]) => {
    const changed = Buffer.concat([bytes, behind])
    for (const [at, value] of changes) if (at < changed.length) changed[at] = value
    return changed
  })

test('however the bytes are split, the header is the same', () => {
  fc.assert(
    fc.property(nearlyHeaders, fc.array(fc.nat(400), { maxLength: 8 }), (bytes, cuts) => {
      const whole = readProxyHeader(bytes)
      const ends = cuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b)
      assert.deepEqual(readInParts(bytes, ends), whole)
      assert.deepEqual(
        readInParts(
          bytes,
          Array.from(bytes, (_, index) => index),
        ),
        whole,
      )
    }),
    runs(400),
  )
})

test('nothing is waited for beyond the longest header, and no header is longer than what has come', () => {
  fc.assert(
    fc.property(nearlyHeaders, (bytes) => {
      const header = readProxyHeader(bytes)
      if (header.kind === 'header') assert.ok(header.length > 0 && header.length <= bytes.length)
      const padded = Buffer.concat([bytes, Buffer.alloc(MAX_HEADER)]).subarray(0, MAX_HEADER)
      assert.notEqual(readProxyHeader(padded).kind, 'more')
    }),
    runs(400),
  )
})

test('what is written as a header is read back', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), fc.boolean(), (address, port, isLine) => {
      const isSix = address.includes(':')
      const words = isSix ? undefined : address.split('.').map(Number)
      const bytes =
        isLine || isSix
          ? text(`PROXY ${isSix ? 'TCP6' : 'TCP4'} ${address} ${isSix ? '::1' : '127.0.0.1'} ${port} 443\r\n`)
          : binary(
              '2111',
              Buffer.from([...words!, 127, 0, 0, 1, port >> 8, port & 255, 1, 187]).toString('hex'),
            )
      const header = readProxyHeader(bytes)
      assert.equal(header.kind, 'header')
      const source = header.kind === 'header' ? header.source : undefined
      assert.equal(source?.port, port)
      if (!isSix) assert.equal(source?.address, address)
      else assert.match(source?.address ?? '', /^[0-9a-f:]+$|^[0-9.]+$/)
    }),
    runs(200),
  )
})
