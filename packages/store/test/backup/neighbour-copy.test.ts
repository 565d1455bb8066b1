// A store that a gateway has open is backed up by another process, through a copy that is gone afterwards.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { it } from 'node:test'
import { openSource, takeTurn } from '../../src/backup/index.ts'
import { answerNeighbours, openStore, organisationInsert } from '../../src/index.ts'
import { storeFolder, temporaryFolder } from '../fixtures/embedded.ts'

it('H3 a store that is in use is copied by who has it, and nothing of the copy is left', async (test) => {
  const directory = await storeFolder(test)
  const store = await openStore({ directory, waitMs: 60_000 })
  const end = await answerNeighbours(store, directory)
  test.after(async () => {
    await end()
    await store.close()
  })
  await store.query(organisationInsert, ['org_1', 'One', 'free', null])
  const source = await openSource({ directory })
  const folder = temporaryFolder(test)
  const now = { at: Date.UTC(2026, 0, 1) }
  const settings = {
    folder,
    scratch: temporaryFolder(test),
    recipient: generateKeyPairSync('x25519').publicKey,
    signer: generateKeyPairSync('ed25519').privateKey,
    now: () => new Date(now.at),
    everySeconds: 3_600,
    keep: 1,
  }
  const { made } = await takeTurn(source, settings)
  assert.ok(made!.rows >= 2)
  now.at += 3_599_000
  assert.deepEqual(await takeTurn(source, settings), { made: undefined, pruned: [] })
  now.at += 1_000
  const again = await takeTurn(source, settings)
  assert.deepEqual([again.made?.at, again.pruned], ['2026-01-01T01:00:00.000Z', [made!.file]])
  await source.close()
  assert.deepEqual(
    readdirSync(dirname(directory)).filter((name) => name.includes('copy')),
    [],
  )
  // What is there is not taken for what nobody has made yet.
  await assert.rejects(openSource({ directory: `${directory}-other` }), /no store in this folder/)
})
