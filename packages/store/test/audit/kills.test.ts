// The log against kill -9 at any moment: in a batch, in the writing of a checkpoint, while the store is opened.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openCheckpoint } from 'sallyport/audit'
import { checkLog, fileAnchor, readLog } from '../../src/audit/index.ts'
import { openStore, type Store } from '../../src/index.ts'
import { storeFolder, temporaryFolder } from '../fixtures/embedded.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { event, log, verifier } from './behaviour.ts'

const KILLS = Number(process.env['SALLYPORT_AUDIT_KILLS'] ?? 3)
const appender = fileURLToPath(new URL('appender.ts', import.meta.url))

/** Lets one process append, ends it after so many lines, and gives what it had acknowledged. */
async function appendAndKill(place: string, anchor: string, round: number): Promise<readonly string[]> {
  // Every third is killed while it does little but sign.
  const checkpointMs = round % 3 === 0 ? 1 : 20
  const after = 1 + ((round * 137) % 1_000)
  const child = spawn(process.execPath, [appender, place, anchor, String(checkpointMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'open') acknowledged.push(line)
    if (acknowledged.length === after) child.kill('SIGKILL')
  }
  assert.equal((await exited)[1], 'SIGKILL', 'it ends when it is killed, and not before')
  return acknowledged
}

async function targetsOf(store: Store): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let next = 0; ; ) {
    const lines = await readLog(store, next, 1_000)
    for (const { entry } of lines) {
      const { resource } = JSON.parse(entry) as { readonly resource?: { readonly uid: string } }
      if (resource === undefined) continue
      assert.ok(!found.has(resource.uid), `${resource.uid} is in the log twice`)
      found.add(resource.uid)
    }
    if (lines.length < 1_000) return found
    next = lines.at(-1)!.index + 1
  }
}

async function survives(
  test: TestContext,
  place: string,
  open: () => Promise<Store>,
  kills: number,
): Promise<void> {
  const anchor = join(temporaryFolder(test), 'anchor')
  const acknowledged: string[] = []
  // An appender refuses to begin where the anchor contradicts the log, so each one checks the kill before it.
  for (let round = 0; round < kills; round++)
    acknowledged.push(...(await appendAndKill(place, anchor, round)))

  const store = await open()
  try {
    const kept = await targetsOf(store)
    const lost = acknowledged.filter((target) => !kept.has(target))
    assert.deepEqual(lost, [])
    // On a quick machine each process may be gone before it has signed.
    const signed = fileAnchor(anchor).read()
    const check = await checkLog(store, { verifier, notes: signed === undefined ? [] : [signed] })
    assert.deepEqual(check.faults, [])
    assert.ok(signed === undefined || check.checkpoints > 0)
    const next = await log(store, { anchor: fileAnchor(anchor) })
    assert.equal(next.state.problem, undefined)
    await next.append(event(1))
    await next.close()
    assert.equal(openCheckpoint(readFileSync(anchor, 'utf8'), verifier)?.size, check.entries + 1)
    test.diagnostic(`${kills} kills: ${acknowledged.length} acknowledged, ${lost.length} lost`)
  } finally {
    await store.close()
  }
}

it('H19 the log loses nothing acknowledged to kill -9, and what was signed holds', async (test) => {
  const directory = await storeFolder(test)
  await survives(test, directory, () => openStore({ directory, waitMs: 60_000 }), KILLS)
})

it('H19 the log on PostgreSQL loses nothing acknowledged to kill -9, and what was signed holds', {
  skip: postgresMissing || (KILLS < 100 && 'of the long runs'),
}, async (test) => {
  const server = await startPostgres()
  test.after(() => server.end())
  const { url, ownerUrl } = await server.database()
  await (await openStore({ url, ownerUrl, waitMs: 60_000 })).close()
  await survives(test, url, () => openStore({ url, waitMs: 60_000 }), KILLS)
})
