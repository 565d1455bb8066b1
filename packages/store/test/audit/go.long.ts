// The log's checkpoints and proofs, as Go's own transparency log reads them: golang.org/x/mod/sumdb/note and tlog.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { consistencyProof, signerOf, verifierKey, verifierOf } from 'sallyport/audit'
import { proveEntry } from '../../src/audit/index.ts'
import { nodesOf } from '../../src/audit/tree.ts'
import { embeddedStore, temporaryFolder } from '../fixtures/embedded.ts'
import { event, log, memoryAnchor, verifier } from './behaviour.ts'

// Where Debian's golang-golang-x-mod-dev has the module; nothing is fetched.
const GOPATH = '/usr/share/gocode'
const missing =
  (spawnSync('go', ['version']).status !== 0 || !existsSync(`${GOPATH}/src/golang.org/x/mod/sumdb/note`)) &&
  'Go or its module is missing: apt-get install -y --no-install-recommends golang-go golang-golang-x-mod-dev'

function built(test: TestContext): (question: object) => string {
  const folder = temporaryFolder(test)
  const program = join(folder, 'check')
  execFileSync('go', ['build', '-o', program, fileURLToPath(new URL('go/main.go', import.meta.url))], {
    env: { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: join(folder, 'cache'), GOFLAGS: '' },
  })
  return (question) => execFileSync(program, { input: JSON.stringify(question), encoding: 'utf8' }).trim()
}

async function questionOf(test: TestContext) {
  const store = await embeddedStore(test)
  const anchor = memoryAnchor()
  const write = async (from: number, to: number): Promise<string> => {
    const audit = await log(store, { anchor })
    for (let n = from; n < to; n++) audit.record(event(n, { target: `é “${n}”` }))
    await audit.close()
    return anchor.note!
  }
  const earlier = await write(0, 333)
  const later = await write(333, 800)
  const consistency = await consistencyProof(333, 800, nodesOf(store))
  const proofs = await Promise.all([0, 1, 255, 256, 511, 700, 799].map((index) => proveEntry(store, index)))
  return {
    key: verifierKey(verifier),
    earlier,
    later,
    consistency: consistency.map((hash) => hash.toString('base64')),
    inclusions: proofs.map(({ index, entry, path }) => ({ index, entry, path })),
  }
}

it('H19 Go opens our checkpoints with our verifier key, and our proofs hold', {
  skip: missing,
}, async (test) => {
  const answer = built(test)
  const asked = await questionOf(test)
  assert.equal(answer(asked), 'holds')
  const stranger = verifierKey(verifierOf(signerOf('audit.example/log', Buffer.alloc(32, 9))))
  const [first, ...others] = asked.inclusions
  for (const [changed, refusal] of [
    [{ ...asked, key: stranger }, /earlier checkpoint/],
    [{ ...asked, later: asked.later.replace('\n800\n', '\n799\n') }, /later checkpoint/],
    [{ ...asked, consistency: asked.consistency.slice(1) }, /consistency/],
    [
      { ...asked, inclusions: [{ ...first!, entry: first!.entry.replace('actor_0', 'actor_1') }, ...others] },
      /entry 0/,
    ],
    [{ ...asked, inclusions: [{ ...first!, index: 2 }] }, /entry 2/],
  ] as const)
    assert.match(answer(changed), refusal)
})
