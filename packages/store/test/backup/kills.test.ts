// A process that is killed while it makes a backup leaves none that counts and is not whole, and nothing in the way of the
// next.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { provedBackups, SIGNER_PUBLIC, verifyBackup } from '../../src/backup/index.ts'
import { storeFolder, temporaryFolder } from '../fixtures/embedded.ts'

const MAKER = fileURLToPath(new URL('../fixtures/backup-maker.ts', import.meta.url))
const KILLS = 4

it('H3 killed at any moment, what counts as proved is whole, and the next turn goes on', async (test) => {
  const directory = await storeFolder(test)
  const folder = temporaryFolder(test)
  const keys = generateKeyPairSync('x25519')
  const recipient = join(temporaryFolder(test), 'recipient.pem')
  writeFileSync(recipient, keys.publicKey.export({ type: 'spki', format: 'pem' }))
  const run = (until: RegExp, afterMs: () => number): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [MAKER, directory, folder, recipient], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      let isMeant = false
      child.stdout.on('data', (text: Buffer) => {
        said += text.toString()
        if (!until.test(said) || isMeant) return
        isMeant = true
        setTimeout(() => child.kill('SIGKILL'), afterMs())
      })
      child.on('exit', () => (isMeant ? resolve() : reject(new Error(said))))
    })
  // Somewhere in a turn: they take two seconds or so.
  for (let kill = 0; kill < KILLS; kill += 1) await run(/begins/, () => randomInt(2_500))
  // And one whole turn after all of them.
  await run(/made/, () => 0)
  const proved = provedBackups(folder)
  assert.ok(proved.length > 0)
  const publicKey = createPublicKey(readFileSync(join(folder, SIGNER_PUBLIC)))
  for (const { file, sha256 } of proved) {
    const found = await verifyBackup({
      file: join(folder, file),
      opener: { identity: keys.privateKey },
      publicKey,
      scratch: temporaryFolder(test),
    })
    assert.equal(found.sha256, sha256)
  }
  // The last kill may have left what it had begun, the ones before have not.
  assert.ok(readdirSync(folder).filter((name) => name.endsWith('.new')).length <= 1)
  assert.equal(existsSync(join(folder, 'sallyport.failed')), false)
  rmSync(folder, { recursive: true })
})
