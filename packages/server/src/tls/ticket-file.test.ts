import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness.ts'
import { keepTicketFile, openTicketFile } from './ticket-file.ts'

const DAY = 86_400_000
const NOW = 20_000 * DAY

test('all who come at once have the same secret, which nobody else can read', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'tickets')
  const [first, ...others] = await Promise.all(Array.from({ length: 8 }, () => openTicketFile(file, NOW)))
  for (const other of others) assert.deepEqual(other, first)
  assert.equal(first!.secret.length, 32)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(folder), ['tickets'])
})

test('the secret of a later day takes its place', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'tickets')
  await openTicketFile(file, NOW)
  const next = { day: 20_005, secret: Buffer.alloc(32, 1) }
  await keepTicketFile(file, next)
  assert.deepEqual(await openTicketFile(file, NOW + 6 * DAY), next)
  assert.deepEqual(await readdir(folder), ['tickets'])
})

test('a secret from the future, of a clock that was wrong, is made again', async (context) => {
  const file = join(await temporaryFolder(context), 'tickets')
  await keepTicketFile(file, { day: 30_000, secret: Buffer.alloc(32, 1) })
  assert.equal((await openTicketFile(file, NOW)).day, 19_999)
})

test('a file that is not ours to trust is refused, with the way to mend it and nothing of its content', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'tickets')
  await writeFile(file, 'hunter2', { mode: 0o600 })
  await assert.rejects(openTicketFile(file, NOW), (error: Error) => {
    assert.match(error.message, /is not a file of ticket keys; remove it, and it is made again: rm /)
    return !error.message.includes('hunter2')
  })
  await chmod(file, 0o644)
  await assert.rejects(openTicketFile(file, NOW), /others can read .*; remove it/)
  const link = join(folder, 'link')
  await symlink(file, link)
  await assert.rejects(openTicketFile(link, NOW), /is not a regular file/)
  assert.equal(await readFile(file, 'utf8'), 'hunter2')
})
