// The form of a backup file, at every length around a chunk and with every part of it changed.

import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CHUNK, type Opener, opened, sealed } from './envelope.ts'

const recipient = generateKeyPairSync('x25519')
const identity = { identity: recipient.privateKey }

async function* parts(bytes: Uint8Array, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const part of stream) all.push(part)
  return Buffer.concat(all)
}

const seal = (content: Uint8Array, size = 1_000, fileKey: Uint8Array = randomBytes(32)) =>
  whole(sealed(parts(content, size), recipient.publicKey, fileKey))
const open = (file: Uint8Array, opener: Opener = identity, size = 1_000) =>
  whole(opened(parts(file, size), opener))

describe('H3 the envelope of a backup', () => {
  it('opens to what was put in, at every length around a chunk and however it is cut on the way', async () => {
    for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]) {
      const content = randomBytes(length)
      const fileKey = randomBytes(32)
      const file = await seal(content, 9_999, fileKey)
      assert.deepEqual(await open(file), content, `${length}`)
      assert.deepEqual(await open(file, { fileKey }, CHUNK * 3), content)
    }
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.integer({ min: 1, max: 300 }),
        async (content, size) => {
          const file = await seal(content, size)
          assert.deepEqual(new Uint8Array(await open(file, identity, size)), content)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('no two files of the same content are alike', async () => {
    const fileKey = randomBytes(32)
    assert.notDeepEqual(await seal(Buffer.from('x')), await seal(Buffer.from('x')))
    // Not even with the same key: the header is authenticated with every chunk.
    const [a, b] = [await seal(Buffer.from('x'), 1, fileKey), await seal(Buffer.from('x'), 1, fileKey)]
    const head = (file: Buffer) => file.subarray(0, -17)
    await assert.rejects(open(Buffer.concat([head(a), b.subarray(-17)])), { code: 'refused' })
  })

  it('tells chunks that were left out, swapped, doubled or cut off at their end', async () => {
    const content = randomBytes(3 * CHUNK + 5)
    const file = await seal(content)
    const head = file.length - (3 * (CHUNK + 16) + 5 + 16)
    const chunk = (index: number) =>
      file.subarray(head + index * (CHUNK + 16), head + (index + 1) * (CHUNK + 16))
    const [zero, one, two, last] = [0, 1, 2, 3].map(chunk) as [Buffer, Buffer, Buffer, Buffer]
    const start = file.subarray(0, head)
    assert.deepEqual(await open(Buffer.concat([start, zero, one, two, last])), content)
    for (const [what, chunks] of Object.entries({
      'the last left out': [zero, one, two],
      'one left out': [zero, two, last],
      swapped: [one, zero, two, last],
      doubled: [zero, zero, one, two, last],
      'nothing but a header': [],
    }))
      await assert.rejects(open(Buffer.concat([start, ...chunks])), { code: 'refused' }, what)
  })

  it('refuses every changed byte of the header and of a short file, and every shorter one', async () => {
    const file = await seal(Buffer.from('a row'))
    for (let at = 0; at < file.length; at += 1) {
      const changed = Buffer.from(file)
      changed[at]! ^= 1
      await assert.rejects(open(changed), { code: 'refused' }, `byte ${at}`)
      await assert.rejects(open(file.subarray(0, at)), { code: 'refused' }, `length ${at}`)
    }
  })

  it('is total: whatever is read, it is refused and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await assert.rejects(open(bytes), { code: 'refused' })
        const after = Buffer.concat([Buffer.from('sallyport-backup/1\n'), bytes, Buffer.from('\n'), bytes])
        await assert.rejects(open(after), { code: 'refused' })
      }),
      { numRuns: 200 },
    )
    // A header without an end is not read for ever, and a key of small order is no key (RFC 7748, 6.1).
    await assert.rejects(open(Buffer.from(`sallyport-backup/1\n${'x'.repeat(9_000)}`)), /header is too long/)
    const zero = { recipient: '', ephemeral: Buffer.alloc(32).toString('base64url'), wrapped: 'AA' }
    await assert.rejects(open(Buffer.from(`sallyport-backup/1\n${JSON.stringify(zero)}\n`)), {
      code: 'refused',
    })
  })
})
