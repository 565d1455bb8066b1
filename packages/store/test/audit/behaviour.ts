// What an audit log does, the same on both engines.

import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { AuditEvent } from 'sallyport'
import {
  consistencyProof,
  createRiskBook,
  isConsistent,
  openCheckpoint,
  signerOf,
  verifierOf,
} from 'sallyport/audit'
import {
  type Anchor,
  type AuditLog,
  checkLog,
  holds,
  openAuditLog,
  proveEntry,
} from '../../src/audit/index.ts'
import { nodesOf } from '../../src/audit/tree.ts'
import { type Store, StoreFault } from '../../src/index.ts'
import { auditForget, auditPersonal, auditSearch } from '../../src/statements/audit.ts'

export const signer = signerOf('audit.example/log', Buffer.alloc(32, 3))
export const verifier = verifierOf(signer)

export const event = (n: number, more: Partial<AuditEvent> = {}): AuditEvent => ({
  action: 'key.refused',
  outcome: 'denied',
  organisation: `org_${n % 3}`,
  actor: `actor_${n}`,
  ...more,
})

export function memoryAnchor(note?: string): Anchor & { note: string | undefined } {
  return {
    note,
    read() {
      return this.note
    },
    write(fresh) {
      this.note = fresh
    },
  }
}

/** A log whose timers a test moves by hand. */
export async function log(
  store: Store,
  more: Partial<Parameters<typeof openAuditLog>[0]> = {},
): Promise<AuditLog> {
  return openAuditLog({
    database: store,
    origin: 'audit.example/log',
    signer,
    anchor: memoryAnchor(),
    clock: () => 1_700_000_000_000,
    later: () => () => {},
    ...more,
  })
}

/** Every test with a store of its own. */
export function auditBehaviour(open: (test: TestContext) => Promise<Store>): void {
  it('H19 keeps events in their order, signs for them, and proves each', async (test) => {
    const store = await open(test)
    const anchor = memoryAnchor()
    const audit = await log(store, { anchor })
    for (let n = 0; n < 700; n++) audit.record(event(n))
    await audit.append(event(700, { action: 'key.revoked', outcome: 'success' }))
    await audit.close()
    assert.equal(audit.state.size, 701)
    const signed = openCheckpoint(anchor.note!, verifier)
    assert.equal(signed?.size, 701)
    const check = await checkLog(store, { verifier, notes: [anchor.note!] })
    assert.deepEqual(check, { entries: 701, pruned: 0, checkpoints: 2, faults: [] })
    for (const index of [0, 255, 256, 699, 700]) {
      const proof = await proveEntry(store, index)
      assert.ok(holds(JSON.parse(JSON.stringify(proof)), verifier))
      assert.equal(JSON.parse(proof.entry).metadata.sequence, index)
      assert.ok(!holds({ ...proof, entry: proof.entry.replace('actor_', 'actor-') }, verifier))
      assert.ok(!holds({ ...proof, index: index + 1 }, verifier))
    }
    await assert.rejects(proveEntry(store, 701), /no checkpoint covers/)
  })

  it('goes on where it stopped, and the trees are consistent', async (test) => {
    const store = await open(test)
    const anchor = memoryAnchor()
    const first = await log(store, { anchor })
    for (let n = 0; n < 300; n++) first.record(event(n))
    await first.close()
    const before = openCheckpoint(anchor.note!, verifier)!
    const second = await log(store, { anchor })
    for (let n = 0; n < 5; n++) await second.append(event(n))
    await second.close()
    const after = openCheckpoint(anchor.note!, verifier)!
    assert.equal(after.size, 305)
    const proof = await consistencyProof(before.size, after.size, nodesOf(store))
    assert.ok(isConsistent(before.size, before.root, after.size, after.root, proof))
    assert.deepEqual((await checkLog(store, { verifier })).faults, [])
  })

  it('links each organisation’s events, so that a gap shows', async (test) => {
    const store = await open(test)
    const audit = await log(store)
    for (let n = 0; n < 9; n++) audit.record(event(n))
    await audit.close()
    const again = await log(store)
    await again.append(event(1))
    await again.close()
    const rows = await store.query(auditSearch, [100, 'org_1', '', '', new Date(0), new Date(2e12), 0, 100])
    assert.deepEqual(
      rows.map(({ index, entry }) => [index, JSON.parse(entry).unmapped.previous]),
      [
        [9, 7],
        [7, 4],
        [4, 1],
        [1, undefined],
      ],
    )
  })

  it('two writers at once lose nothing and write nothing twice', async (test) => {
    const store = await open(test)
    const writers = [await log(store), await log(store)]
    for (let round = 0; round < 6; round++) {
      await Promise.all(
        writers.map((writer, w) => Promise.all([1, 2, 3].map((n) => writer.append(event(w * 10 + n))))),
      )
    }
    await Promise.all(writers.map((writer) => writer.close()))
    const check = await checkLog(store, { verifier })
    assert.equal(check.entries, 36)
    assert.deepEqual(check.faults, [])
  })

  it('carries the risk of whoever stands worst, with what it is made of', async (test) => {
    const store = await open(test)
    const audit = await log(store, { risk: createRiskBook() })
    audit.record(event(1, { action: 'key.exposed', credential: 'key_1' }))
    await audit.append(event(1, { action: 'key.exposed', credential: 'key_1' }))
    await audit.close()
    const rows = await store.query(auditSearch, [10, '', '', '', new Date(0), new Date(2e12), 60, 10])
    assert.equal(rows.length, 1)
    const entry = JSON.parse(rows[0]!.entry)
    assert.equal(entry.risk_score, 74)
    assert.equal(entry.risk_level_id, 3)
    assert.match(entry.risk_details, /key\.exposed 55/)
  })

  it('forgets a person, and every proof still holds', async (test) => {
    const store = await open(test)
    const audit = await log(store)
    await audit.append(event(1, { personal: { email: 'ada@example.com' } }))
    await audit.append(event(2, { personal: { email: 'eve@example.com' } }))
    await audit.close()
    const known = await store.query(auditPersonal, [[0, 1]])
    assert.deepEqual(
      known.map(({ value }) => value),
      ['ada@example.com', 'eve@example.com'],
    )
    const [entry] = await store.query(auditSearch, [10, 'org_1', '', '', new Date(0), new Date(2e12), 0, 10])
    assert.doesNotMatch(entry!.entry, /ada@/)
    const [gone] = await store.query(auditForget, ['org_1', 'ada@example.com'])
    assert.equal(gone?.forgotten, 1)
    assert.equal((await store.query(auditPersonal, [[0, 1]])).length, 1)
    assert.deepEqual((await checkLog(store, { verifier })).faults, [])
    assert.ok(holds(await proveEntry(store, 0), verifier))
  })

  it('refuses to change or remove an entry from inside the application', async (test) => {
    const store = await open(test)
    const audit = await log(store)
    await audit.append(event(1))
    await audit.close()
    for (const sql of [
      'update audit_entries set entry = entry',
      'delete from audit_entries',
      'truncate audit_entries',
    ])
      await assert.rejects(
        store.asOwner((client) => client.query(sql)),
        /only grows/,
        sql,
      )
  })

  for (const [name, sql, kind, index] of [
    [
      'an edited entry',
      `update audit_entries set entry = replace(entry, 'actor_300', 'actor_301') where index = 300`,
      'changed',
      300,
    ],
    ['a deleted entry', 'delete from audit_entries where index = 17', 'missing', 17],
    [
      'an inserted entry',
      `insert into audit_entries select 1000, 'x', at, tenant, action, actor, risk, entry from audit_entries where index = 3`,
      'inserted',
      600,
    ],
    [
      'two entries that changed places',
      `update audit_entries a set entry = b.entry from audit_entries b where (a.index, b.index) in ((40, 41), (41, 40))`,
      'changed',
      40,
    ],
    [
      'an edited entry that no full tile holds',
      `update audit_entries set entry = replace(entry, 'actor_590', 'actor_591') where index = 590`,
      'rewritten',
      0,
    ],
    [
      'times, actions and actors that were edited for searches',
      `update audit_entries set action = 'audit.started', actor = 'gateway', at = at - interval '500 days' where index between 256 and 511`,
      'column',
      256,
    ],
    [
      'an organisation that was put in the place of another',
      `update audit_entries set tenant = 'other' where index = 5`,
      'column',
      5,
    ],
    ['a risk that was played down', 'update audit_entries set risk = 1 where index = 599', 'column', 599],
    [
      'a tail that was cut',
      'with gone as (delete from audit_entries where index >= 576 returning 1) update audit_head set size = 576, frontier = (select substring(frontier for 64) from audit_head)',
      'cut',
      576,
    ],
  ] as const)
    it(`finds ${name} and names it`, async (test) => {
      const store = await open(test)
      const anchor = memoryAnchor()
      const audit = await log(store, { anchor })
      for (let n = 0; n < 600; n++) audit.record(event(n))
      await audit.close()
      await store.asOwner(async (client) => {
        await client.query(
          'alter table audit_entries disable trigger user; alter table audit_tiles disable trigger user',
        )
        await client.query(sql)
      })
      const { faults } = await checkLog(store, { verifier, notes: [anchor.note!] })
      assert.ok(
        faults.some((fault) => fault.kind === kind && fault.index === index),
        JSON.stringify(faults),
      )
      // The signer signs nothing that contradicts what it signed before.
      const next = await log(store, { anchor: memoryAnchor(anchor.note) })
      assert.match(
        String(next.state.problem),
        // A full tile is believed when a log is opened; a check reads every entry.
        kind === 'cut' || kind === 'rewritten' ? /not those that were signed for|rolled back/ : /undefined/,
      )
    })

  it('finds that the whole database was rolled back, and signs nothing over it', async (test) => {
    const store = await open(test)
    const anchor = memoryAnchor()
    const audit = await log(store, { anchor })
    for (let n = 0; n < 20; n++) audit.record(event(n))
    await audit.close()
    const older = await open(test)
    const earlier = await log(older, { anchor: memoryAnchor() })
    for (let n = 0; n < 10; n++) earlier.record(event(n))
    await earlier.close()
    const { faults } = await checkLog(older, { verifier, notes: [anchor.note!] })
    assert.deepEqual(
      faults.map(({ kind, index }) => [kind, index]),
      [['cut', 10]],
    )
    const restarted = await log(older, { anchor: memoryAnchor(anchor.note) })
    assert.match(restarted.state.problem!, /rolled back/)
    await restarted.append(event(1))
    await restarted.close()
    assert.equal(restarted.state.checkpoint, undefined)
  })

  it('signs for what others wrote, and for nothing that does not go on from what it signed before', async (test) => {
    const store = await open(test)
    const timers: (() => void)[] = []
    const anchor = memoryAnchor()
    const later = (run: () => void) => {
      timers.push(run)
      return () => {}
    }
    const mine = await log(store, { anchor, later })
    const passes = async () => {
      for (const run of timers.splice(0)) run()
      await mine.flush()
    }
    const sizeSigned = () => openCheckpoint(anchor.note ?? '', verifier)?.size
    const until = async (done: () => boolean) => {
      for (let tries = 0; !done(); tries++) {
        assert.ok(tries < 2_000, 'what was waited for did not come')
        await passes()
      }
    }
    for (let n = 0; n < 5; n++) await mine.append(event(n))
    await until(() => sizeSigned() === 5)
    // Another process, which has no key, such as a command.
    const others = await openAuditLog({ database: store, origin: 'b', later: () => () => {} })
    await others.append(event(5))
    await until(() => sizeSigned() === 6)
    await store.asOwner((client) =>
      client.query(
        `alter table audit_entries disable trigger user;
         update audit_entries set entry = replace(entry, 'actor_2', 'actor_9') where index = 2`,
      ),
    )
    await others.append(event(6))
    await others.close()
    await until(() => mine.state.problem !== undefined)
    assert.match(mine.state.problem!, /not those that were signed for/)
    assert.equal(sizeSigned(), 6)
    await mine.append(event(7))
    await mine.close()
    assert.equal(sizeSigned(), 6)
  })

  it('takes a database that can’t be asked for no contradiction: it signs when it is asked again', async (test) => {
    const store = await open(test)
    const timers: (() => void)[] = []
    const anchor = memoryAnchor()
    const later = (run: () => void) => {
      timers.push(run)
      return () => {}
    }
    let isAway = false
    let refused = 0
    const database = {
      ...store,
      query: ((wanted: { readonly name: string }, parameters: readonly number[]) => {
        // The state of the log is had, entry by entry; what it is held against is not.
        if (isAway && wanted.name === 'audit_entries_from' && parameters[1]! > 1) {
          refused += 1
          return Promise.reject(new StoreFault('busy', 'others hold what the store was asked for'))
        }
        return store.query(wanted as never, parameters as never)
      }) as typeof store.query,
    }
    const mine = await log(store, { database, anchor, later })
    const until = async (done: () => boolean) => {
      for (let tries = 0; !done(); tries++) {
        assert.ok(tries < 2_000, 'what was waited for did not come')
        for (const run of timers.splice(0)) run()
        await mine.flush()
      }
    }
    const sizeSigned = () => openCheckpoint(anchor.note ?? '', verifier)?.size
    for (let n = 0; n < 5; n++) await mine.append(event(n))
    await until(() => sizeSigned() === 5)
    const others = await openAuditLog({ database: store, origin: 'b', later: () => () => {} })
    await others.append(event(5))
    await others.close()
    isAway = true
    await until(() => refused > 2)
    assert.equal(mine.state.problem, undefined)
    assert.equal(sizeSigned(), 5)
    isAway = false
    await until(() => sizeSigned() === 6)
    assert.equal(mine.state.problem, undefined)
    await mine.close()
  })
}
