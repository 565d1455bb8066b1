// What becomes of a log whose oldest entries go, the same on both engines.

import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { consistencyProof, isConsistent, openCheckpoint, signerOf } from 'sallyport/audit'
import { checkLog, holds, proveEntry, pruneLog, readLog } from '../../src/audit/index.ts'
import { nodesOf } from '../../src/audit/tree.ts'
import type { Store } from '../../src/index.ts'
import { auditPersonal, auditPrune } from '../../src/statements/audit.ts'
import { event, log, memoryAnchor, signer, verifier } from './behaviour.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000

/** A log with an event each hour, 1,000 of them. */
async function grown(store: Store) {
  const anchor = memoryAnchor()
  const audit = await log(store, { anchor })
  for (let n = 0; n < 1_000; n++)
    audit.record(event(n, { at: NOW + n * HOUR, personal: { email: `${n}@example` } }))
  await audit.close()
  return anchor
}

/** Every test with a store of its own. */
export function retentionBehaviour(open: (test: TestContext) => Promise<Store>): void {
  it('H19 entries whose time is over go, and every proof about the others holds', async (test) => {
    const store = await open(test)
    const anchor = await grown(store)
    const before = openCheckpoint(anchor.note!, verifier)!
    const kept = await proveEntry(store, 100)
    assert.equal(await pruneLog(store, signer, NOW + 700 * HOUR), 512, 'whole tiles of what is older')
    assert.equal(await pruneLog(store, signer, NOW + 700 * HOUR), 0)
    assert.deepEqual(
      (await readLog(store, 0, 1)).map(({ index }) => index),
      [512],
    )
    assert.deepEqual(await store.query(auditPersonal, [[0, 511]]), [])
    assert.ok(holds(kept, verifier), 'whoever has a proof has the entry for good')
    await assert.rejects(proveEntry(store, 511), /not in the log any more/)
    assert.ok(holds(await proveEntry(store, 512), verifier))

    const again = await log(store, { anchor })
    assert.equal(again.state.problem, undefined)
    for (let n = 0; n < 300; n++) again.record(event(n, { at: NOW + 2_000 * HOUR }))
    await again.close()
    const after = openCheckpoint(anchor.note!, verifier)!
    const path = await consistencyProof(before.size, after.size, nodesOf(store))
    assert.ok(isConsistent(before.size, before.root, after.size, after.root, path))
    const check = await checkLog(store, { verifier, notes: [anchor.note!] })
    assert.deepEqual([check.entries, check.pruned, check.faults], [1_300, 512, []])
    assert.equal(await pruneLog(store, signer, NOW + 900 * HOUR), 256, 'it goes on where it stopped')
    assert.deepEqual((await checkLog(store, { verifier, notes: [anchor.note!] })).faults, [])
  })

  it('an entry whose time was set back beside it is not signed away', async (test) => {
    const store = await open(test)
    const anchor = await grown(store)
    await store.asOwner((client) =>
      client.query(
        `alter table audit_entries disable trigger user;
         update audit_entries set at = at - interval '500 days' where index >= 100 and index < 512;
         alter table audit_entries enable trigger user`,
      ),
    )
    await assert.rejects(pruneLog(store, signer, NOW + 100 * HOUR), {
      code: 'damaged',
      message: /^entry 100 is not as it was/,
    })
    assert.equal((await readLog(store, 0, 1))[0]!.index, 0)
    const { faults } = await checkLog(store, { verifier, notes: [anchor.note!] })
    assert.deepEqual([faults[0]!.kind, faults[0]!.index], ['column', 100])
  })

  it('nothing goes that is young, unsigned for or of a tile that is not full', async (test) => {
    const store = await open(test)
    await grown(store)
    assert.equal(await pruneLog(store, signer, NOW + 255 * HOUR), 0)
    for (const [to, moment, message] of [
      [256, Date.now(), /entries of the last day are kept/],
      [512, NOW + 300 * HOUR, /some of these entries are younger/],
      [1_024, NOW + 2_000 * HOUR, /not full/],
      [100, NOW + 2_000 * HOUR, /not full|violates check/],
    ] as const)
      await assert.rejects(store.query(auditPrune, [to, new Date(moment), 'note']), message)
    assert.equal((await checkLog(store, { verifier })).faults.length, 0)
  })

  it('a gap that the log’s key did not sign for is a fault, and so is a changed tile in its place', async (test) => {
    const store = await open(test)
    const anchor = await grown(store)
    const stranger = signerOf(signer.name, Buffer.alloc(32, 9))
    await pruneLog(store, stranger, NOW + 300 * HOUR)
    const { faults } = await checkLog(store, { verifier, notes: [anchor.note!] })
    assert.deepEqual(
      faults.slice(0, 2).map(({ kind, index }) => [kind, index]),
      [
        ['signature', 0],
        ['missing', 0],
      ],
    )

    const other = await open(test)
    const otherAnchor = await grown(other)
    await pruneLog(other, signer, NOW + 300 * HOUR)
    await other.asOwner((client) =>
      client.query(
        `alter table audit_tiles disable trigger user;
         update audit_tiles set hashes = decode(repeat('00', 32), 'hex') || substring(hashes from 33) where level = 0 and index = 0`,
      ),
    )
    const found = await checkLog(other, { verifier, notes: [otherAnchor.note!] })
    assert.equal(found.faults[0]?.kind, 'rewritten')
  })
}
