// The places of the access log and of the admin socket: what is wrong is said with the place and the way to mend it.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PolicyFileError } from 'sallyport/settings'
import { IN_FRONT, temporaryFolder } from '../../test/harness.ts'
import { startFleet, startGateway } from '../index.ts'
import { checkPlaces } from './places.ts'

const START = { policy: IN_FRONT, upstream: 'http://127.0.0.1:9', listen: { host: '127.0.0.1', port: 0 } }

test('folders that are missing are found before anything starts', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'log', 'access.log')
  const path = join(folder, 'run', 'admin.sock')
  const loaded = {
    name: 'sallyport.gateway.json',
    file: '',
    configuration: { accessLog: { file }, admin: { path } },
  }
  assert.throws(
    () => checkPlaces(loaded),
    (error) => {
      assert.ok(error instanceof PolicyFileError)
      assert.deepEqual(error.message.split('\n'), [
        `sallyport.gateway.json: accessLog.file: there is no folder ${folder}/log, received "${file}"; make it`,
        `sallyport.gateway.json: admin.path: there is no folder ${folder}/run, received "${path}"; make it`,
      ])
      return true
    },
  )
  mkdirSync(join(folder, 'log'))
  mkdirSync(join(folder, 'run'))
  checkPlaces(loaded)
})

test('what stands there already must be of the same kind', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'x')
  const place = (configuration: object) => () => checkPlaces({ name: 'c', file: '', configuration })
  writeFileSync(file, '')
  assert.throws(
    place({ admin: { path: file } }),
    /^PolicyFileError: c: admin\.path: something else than a socket is there/,
  )
  assert.throws(place({ accessLog: { file: folder } }), /accessLog\.file: there is a folder of that name/)
  assert.throws(place({ accessLog: { file: join(file, 'y') } }), /accessLog\.file: .*\/x is no folder/)
  assert.throws(
    place({ accessLog: { file: join(file, 'y', 'z') } }),
    /accessLog\.file: there is no folder .*\/x\/y/,
  )
  place({ accessLog: { file } })()
})

test('a gateway and a fleet refuse to start there, in one line', async (context) => {
  const folder = await temporaryFolder(context)
  const accessLog = { file: join(folder, 'log', 'access.log') }
  const admin = { path: join(folder, 'run', 'admin.sock') }
  const log =
    /^the access log can't be made at .*\/log\/access\.log: there is no folder .*\/log; make it, or name another place with --access-log or accessLog\.file$/
  const socket =
    /^the admin listener's socket can't be made at .*\/run\/admin\.sock: there is no folder .*\/run; make it/
  const asOne = { code: 'ERR_PLACE' }
  await assert.rejects(startGateway({ ...START, accessLog }), { ...asOne, message: log })
  await assert.rejects(startGateway({ ...START, admin }), { ...asOne, message: socket })
  await assert.rejects(startFleet({ ...START, workers: 2, accessLog }), { ...asOne, message: log })
  await assert.rejects(startFleet({ ...START, workers: 2, admin }), { ...asOne, message: socket })
})

test('an admin address that other machines can reach is refused by a gateway and by a fleet', async () => {
  const admin = { host: '0.0.0.0', port: 0 }
  const message = /^admin\.host: other machines can reach this address/
  await assert.rejects(startGateway({ ...START, admin }), { message })
  await assert.rejects(startFleet({ ...START, workers: 2, admin }), { message })
})
