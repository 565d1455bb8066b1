// Signed notes: the example of C2SP's signed-note (BSD-1-Clause), and what must not open.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  openCheckpoint,
  parseVerifierKey,
  signCheckpoint,
  signerOf,
  verifierKey,
  verifierOf,
} from './checkpoint.ts'
import { tilePath, tilePlace, tileWidth } from './tiles.ts'

const signer = signerOf('audit.example/log', Buffer.alloc(32, 7))
const verifier = verifierOf(signer)
const checkpoint = { origin: 'audit.example/log', size: 20_852_163, root: Buffer.alloc(32, 9) }

test('a checkpoint opens with its key, and its key can be handed on as text', () => {
  const note = signCheckpoint(checkpoint, signer)
  assert.match(
    note,
    /^audit\.example\/log\n20852163\n[A-Za-z0-9+/]{43}=\n\n— audit\.example\/log [A-Za-z0-9+/=]+\n$/,
  )
  assert.deepEqual(openCheckpoint(note, verifier), checkpoint)
  const again = parseVerifierKey(verifierKey(verifier))
  assert.ok(again)
  assert.deepEqual(openCheckpoint(note, again), checkpoint)
})

// https://pkg.go.dev/golang.org/x/mod/sumdb/note, the example of the package's documentation (BSD-3-Clause).
test('the verifier key of Go’s checksum database is read', () => {
  const key = parseVerifierKey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
  assert.ok(key)
  assert.equal(verifierKey(key), 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
  assert.equal(
    parseVerifierKey('sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'),
    undefined,
  )
})

test('a signature among others is enough; another key’s is not', () => {
  const note = signCheckpoint(checkpoint, signer)
  const other = signerOf('witness.example', Buffer.alloc(32, 8))
  const theirs = signCheckpoint(checkpoint, other).split('\n\n')[1]!
  assert.deepEqual(openCheckpoint(note.replace('\n\n', `\n\n${theirs}`), verifier), checkpoint)
  assert.equal(openCheckpoint(note, verifierOf(other)), undefined)
  assert.equal(
    openCheckpoint(note, verifierOf(signerOf('audit.example/log', Buffer.alloc(32, 8)))),
    undefined,
  )
})

test('a note with any byte changed does not open', () => {
  const note = signCheckpoint(checkpoint, signer)
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.constantFrom('0', 'A', ' ', '\n', '—', '+'), (at, by) => {
      const changed = note.slice(0, at) + by + note.slice(at + 1)
      if (changed !== note) assert.equal(openCheckpoint(changed, verifier), undefined)
    }),
    // The last bits of the signature's base64.
    { examples: 'ABCDEFGHIJKLMNOP+/'.split('').map((by) => [note.length - 3, by] as never) },
  )
})

test('what is no note opens nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(openCheckpoint(text, verifier), undefined)))
  assert.throws(() => signerOf('has space', Buffer.alloc(32)), /without spaces/)
})

test('tiles: addresses of tlog-tiles, and every node in its place', () => {
  assert.equal(tilePath(0, 1_234_067), 'tile/0/x001/x234/067')
  assert.equal(tilePath(0, 273, 112), 'tile/0/273.p/112')
  assert.equal(tilePath(1, 1, 17), 'tile/1/001.p/17')
  assert.deepEqual(tilePlace(0, 300), { level: 0, index: 1, from: 44, count: 1 })
  assert.deepEqual(tilePlace(3, 5), { level: 0, index: 0, from: 40, count: 8 })
  assert.deepEqual(tilePlace(8, 300), { level: 1, index: 1, from: 44, count: 1 })
  assert.equal(tileWidth(0, 1, 300), 44)
  assert.equal(tileWidth(1, 0, 70_000), 256)
  assert.equal(tileWidth(1, 1, 70_000), 17)
})
