// Power cuts, as real as they can be without a switch: the file system under the store is shut down without its journal, so
// that only what was synced is there after the next mount. Needs root, loop devices and ext4.

import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, organisationById } from '../src/index.ts'
import { storeFolder } from './fixtures/embedded.ts'

const factor = Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1)
const CUTS = factor > 1 ? 30 : 3
const writer = fileURLToPath(new URL('fixtures/writer.ts', import.meta.url))
// ext4's EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH; Node has no ioctl.
const CUT =
  'import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587D,struct.pack("I",2))'

const commands = ['mkfs.ext4', 'mount', 'umount', 'python3', 'truncate']
const absent = commands.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
const skip =
  process.getuid?.() !== 0 || !existsSync('/dev/loop-control')
    ? 'cutting the power needs root and loop devices'
    : absent.length > 0 && `cutting the power needs ${absent.join(', ')}`

const UNSYNCED = 'x'.repeat(100_000)

interface Disk {
  readonly at: string
  cut(): void
  again(): void
}

/** A disk of its own; undefined where this machine does not let root mount one. */
function disk(test: TestContext): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-power-'))
  const [image, at] = [join(folder, 'image'), join(folder, 'mount')]
  mkdirSync(at)
  execFileSync('truncate', ['-s', '256M', image])
  execFileSync('mkfs.ext4', ['-q', '-F', image])
  const mount = () => spawnSync('mount', ['-o', 'loop', image, at]).status === 0
  test.after(() => {
    spawnSync('umount', [at])
    rmSync(folder, { recursive: true, force: true })
  })
  if (!mount()) return undefined
  return {
    at,
    cut: () => void execFileSync('python3', ['-c', CUT, at]),
    again() {
      execFileSync('umount', [at])
      assert.ok(mount(), 'the disk can be mounted again')
    },
  }
}

/** Runs the writer until it has acknowledged so many rows, cuts the power, and gives what was acknowledged. */
async function writeUntilCut(
  power: Disk,
  directory: string,
  mode: string,
  rows: number,
): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer, directory, mode], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  const acknowledged: string[] = []
  // A name of its own each time: ext4 writes out at once what replaces a file.
  const unsynced = join(power.at, `unsynced-${child.pid}`)
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'open') acknowledged.push(line)
    if (acknowledged.length < rows) continue
    writeFileSync(unsynced, UNSYNCED)
    power.cut()
    child.kill('SIGKILL')
    break
  }
  await exited
  power.again()
  // Without this the cut would prove nothing.
  const left = existsSync(unsynced) ? readFileSync(unsynced, 'utf8') : ''
  assert.ok(left !== UNSYNCED, 'what was not synced is gone')
  return acknowledged
}

async function lostOf(directory: string, acknowledged: readonly string[]): Promise<readonly string[]> {
  const store = await openStore({ directory })
  try {
    const lost = []
    for (const id of acknowledged) if ((await store.query(organisationById, [id])).length === 0) lost.push(id)
    return lost
  } finally {
    await store.close()
  }
}

describe('a power cut', { skip }, () => {
  it('loses nothing acknowledged, whether rows or checkpoints are being written', async (test) => {
    const power = disk(test)
    if (!power) return test.skip('this machine lets nobody mount a loop device')
    const source = await storeFolder(test)
    const directory = join(power.at, 'store')
    cpSync(dirname(source), power.at, { recursive: true })
    execFileSync('sync')
    const acknowledged: string[] = []
    for (let cut = 0; cut < CUTS; cut += 1) {
      const mode = cut % 2 === 0 ? 'commits' : 'checkpoints'
      acknowledged.push(...(await writeUntilCut(power, directory, mode, 3 + ((cut * 7) % 40))))
      assert.deepEqual(await lostOf(directory, acknowledged), [])
    }
    test.diagnostic(`${CUTS} cuts: ${acknowledged.length} acknowledged, 0 lost`)
  })

  it('right after the first start leaves a whole store', async (test) => {
    const power = disk(test)
    if (!power) return test.skip('this machine lets nobody mount a loop device')
    const directory = join(power.at, 'store')
    assert.deepEqual(await lostOf(directory, await writeUntilCut(power, directory, 'commits', 1)), [])
  })
})
