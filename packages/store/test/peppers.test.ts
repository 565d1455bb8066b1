// Peppers move with the records: which one it is counts, not where it is kept.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openPeppers, openStore } from '../src/index.ts'
import { storeFolder } from './fixtures/embedded.ts'

test('H5 the pepper of a folder opens the same keys from the environment, and another one is refused', async (context) => {
  const directory = await storeFolder(context)
  const store = await openStore({ directory })
  context.after(() => store.close())
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
  const [own] = await openPeppers(store, { directory }, random)
  const text = readFileSync(`${directory}.pepper`, 'utf8').trim()
  const [moved] = await openPeppers(store, { environment: { SALLYPORT_PEPPER_1: text } }, random)
  assert.deepEqual(Buffer.from(moved!.secret), Buffer.from(own!.secret))
  const other = Buffer.alloc(32, 5).toString('base64url')
  await assert.rejects(
    openPeppers(store, { environment: { SALLYPORT_PEPPER_1: other } }, random),
    /is not the one that keys of this store were made with/,
  )
})
