// A gateway on a PostgreSQL server that is down, frozen, has no connection left, or lets the log wait.

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import { type PostgresServer, postgresMissing, startPostgres } from '../../../store/test/fixtures/postgres.ts'
import { gatewayFor, temporaryFolder } from '../harness.ts'
import { ENVIRONMENT, keysIn, onServer, POLICY, until, worldOf } from './world.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))
const VARIABLE = 'FAULTS_TEST_URL'
const made = Object.entries({ ...ENVIRONMENT, [VARIABLE]: '' })

describe('a gateway whose PostgreSQL server', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
    for (const [name, value] of made) process.env[name] = value
  })
  after(() => {
    server.end()
    for (const [name] of made) delete process.env[name]
  })

  /** A gateway with two keys, of which it has seen the first. */
  async function world(context: TestContext, more: { readonly connections?: number } = {}) {
    const urls = await server.database()
    const [known, fresh] = await keysIn(urls, 2)
    process.env[VARIABLE] = urls.url
    const node = await worldOf(context, onServer(VARIABLE, more))
    await until(
      'a key',
      () => node.withKey(known!),
      ({ status }) => status === 200,
    )
    return { node, urls, known: known!, fresh: fresh! }
  }

  it('is down when it starts does not listen at all', async (context) => {
    const { url } = await server.database()
    process.env[VARIABLE] = url
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const { port } = probe.address() as { port: number }
    await new Promise((resolve) => probe.close(resolve))
    server.stop('fast')
    context.after(() => server.start())
    const starting = gatewayFor(context, {
      policy: POLICY,
      upstream: 'http://127.0.0.1:9',
      listen: { host: '127.0.0.1', port },
      stateFolder: await temporaryFolder(context),
      places: onServer(VARIABLE),
    })
    await assert.rejects(starting, /^\w*Fault: store: the store can’t be reached/)
    await assert.rejects(fetch(`http://127.0.0.1:${port}/open`))
  })

  it('goes down refuses keys within seconds, lets nobody through unknown, and takes them again when it is back', async (context) => {
    const { node, known, fresh } = await world(context)
    server.stop('fast')
    let isUp = false
    context.after(() => isUp || server.start())
    const stopped = node.passed()
    const refused = await node.withKey(fresh)
    assert.deepEqual([refused.status, refused.header('retry-after')], [503, '1'])
    assert.equal(JSON.parse(refused.body).code, 'credentials_unavailable')
    assert.equal((await node.guess()).status, 503)
    assert.equal((await node.withoutKey()).status, 401)
    assert.equal(node.passed(), stopped, 'the API has seen none of them')
    assert.equal((await node.open()).status, 200)
    // What is known of a key counts for a second while nothing is pushed, and for two at most.
    const stale = await until(
      'stale',
      () => node.withKey(known),
      ({ status }) => status !== 200,
    )
    assert.deepEqual([stale.status, stale.header('retry-after')], [503, '1'])
    const keysRefused = /^keys: the records can’t be asked, so every key is refused$/
    const notReady = await until(
      'not ready, and warned of',
      () => node.ready(),
      ({ status, warnings }) => status === 503 && warnings.some((each) => keysRefused.test(each)),
    )
    assert.deepEqual(notReady.reasons, ['store: the PostgreSQL server can’t be reached'])
    assert.equal(await node.metric('sallyport_store_failing'), 1)
    server.start()
    isUp = true
    for (const key of [known, fresh])
      await until(
        'a key again',
        () => node.withKey(key),
        ({ status }) => status === 200,
      )
    await until(
      'a guess again',
      () => node.guess(),
      ({ status }) => status === 200,
    )
    const ready = await until(
      'ready again',
      () => node.ready(),
      ({ status }) => status === 200,
    )
    assert.deepEqual(ready.reasons, [])
    assert.equal(await node.metric('sallyport_store_failing'), 0)
    const told = node.events.map(({ event }) => event)
    assert.ok(told.indexOf('store-unreachable') >= 0)
    assert.ok(told.indexOf('store-reachable') > told.indexOf('store-unreachable'))
  })

  it('freezes answers 503 meanwhile, serves what needs no record, and goes on with it', async (context) => {
    const { node, known, fresh } = await world(context)
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.pid)], { encoding: 'utf8' })
    const all = [server.pid, ...children.trim().split(/\s+/).map(Number)]
    for (const pid of all) process.kill(pid, 'SIGSTOP')
    try {
      assert.equal((await node.withKey(fresh)).status, 503)
      assert.equal((await node.guess()).status, 503)
      await until(
        'stale',
        () => node.withKey(known),
        ({ status }) => status === 503,
      )
      assert.equal((await node.open()).status, 200)
    } finally {
      for (const pid of all) process.kill(pid, 'SIGCONT')
    }
    await until(
      'a key again',
      () => node.withKey(known),
      ({ status }) => status === 200,
    )
  })

  it('has no connection left answers 503 with Retry-After, and waits for none to be free', async (context) => {
    const { node, urls, fresh } = await world(context, { connections: 1 })
    const release = await server.lock(urls.name, 'lockouts')
    // The first has the only connection and waits for the lock; nobody behind it does. All answers come while it is held.
    const first = node.guess()
    await until(
      'the first waits',
      () => server.waiting(urls.name),
      (waiting) => waiting > 0,
    )
    const answers = await Promise.all([
      first,
      ...Array.from({ length: 19 }, () => node.guess()),
      ...Array.from({ length: 20 }, () => node.withKey(fresh)),
    ])
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503])
    for (const answer of answers) assert.ok(Number(answer.header('retry-after')) >= 1)
    assert.equal((await node.open()).status, 200)
    await release()
    await until(
      'a guess again',
      () => node.guess(),
      ({ status }) => status === 200,
    )
    await until(
      'a key again',
      () => node.withKey(fresh),
      ({ status }) => status === 200,
    )
  })

  it('lets the log wait makes nobody wait for it: events go to the spool, a command is refused, and all come in once', async (context) => {
    const { node, urls, known } = await world(context)
    const release = await server.lock(urls.name, 'audit_head')
    const denied = 60
    for (let count = 0; count < denied; count += 1) assert.equal((await node.exposing()).status, 400)
    assert.equal((await node.withKey(known)).status, 200)
    const waiting = await until(
      'warned of',
      () => node.ready(),
      ({ warnings }) => warnings.some((each) => /^audit log: events wait for the store/.test(each)),
    )
    assert.equal(waiting.status, 200)
    assert.ok((await node.metric('sallyport_audit_waiting_events'))! > 0)
    const command = await new Promise<{ code: number; out: string; err: string }>((resolve) =>
      execFile(
        process.execPath,
        [MAIN, 'keys', 'create', '--vendor', 'acme', '--organisation', 'Acme', '--name', 'Till'].concat(
          '--store',
          urls.url,
        ),
        { cwd: node.folder },
        (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
      ),
    )
    assert.deepEqual([command.code, command.out], [2, ''])
    assert.match(command.err, /no key is given out|others hold what the store was asked to change/)
    await release()
    await until(
      'all of them',
      () => node.ready(),
      ({ warnings }) => warnings.length === 0,
    )
    await node.gateway.close({ graceMs: 0 })
    const store = await openStore({ url: urls.url })
    context.after(() => store.close())
    const read = (await readLog(store, 0, 1_000)).map(({ entry }) => JSON.parse(entry))
    const told = read.filter(({ metadata }) => metadata.event_code === 'key.exposed')
    assert.equal(told.length, denied)
    assert.equal(new Set(read.map(({ metadata }) => metadata.uid)).size, read.length)
    assert.deepEqual((await checkLog(store)).faults, [])
  })
})
