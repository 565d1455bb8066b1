// Reload of the policy: a good one takes over at once, a bad one changes nothing and says why, requests under way keep
// theirs and connections stay open.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { loadPolicy } from 'sallyport/settings'
import type { GatewayEvent } from '../src/index.ts'
import { askAdmin, CHANGE } from './admin-client.ts'
import { ask, gatewayFor, IN_FRONT, type Running, temporaryFolder, upstreamFor } from './harness.ts'

const framed = (frameOptions: 'DENY' | 'SAMEORIGIN'): PolicyDocument => ({
  ...IN_FRONT,
  headers: { frameOptions },
})

async function reloadable(context: TestContext, options: { watched?: string; upstream?: string } = {}) {
  const folder = await temporaryFolder(context)
  const file = options.watched ?? join(folder, 'sallyport.config.json')
  const write = (policy: object) => writeFile(file, JSON.stringify(policy))
  if (options.watched === undefined) await write(framed('SAMEORIGIN'))
  const upstream =
    options.upstream ?? (await upstreamFor(context, (_request, response) => response.end('ok')))
  const running = await gatewayFor(context, {
    upstream,
    policy: framed('SAMEORIGIN'),
    admin: { host: '127.0.0.1', port: 0 },
    source: {
      name: 'sallyport.config.json',
      // Only where the watch itself is tested.
      files: options.watched === undefined ? [] : [file],
      load: () => loadPolicy(file, folder),
    },
  })
  return { ...running, folder, write, admin: running.gateway.adminUrl! }
}

const frame = async (running: Running) => (await ask(running, '/')).header('x-frame-options')

test('a new policy holds for the next request, and reloading the same changes nothing', async (context) => {
  const running = await reloadable(context)
  assert.equal(await frame(running), 'SAMEORIGIN')
  await running.write(framed('DENY'))
  const reply = await askAdmin(running.admin, '/reload', { method: 'POST', headers: CHANGE })
  const outcome = JSON.parse(reply.body)
  assert.deepEqual([reply.status, outcome.ok, outcome.changed], [200, true, true])
  assert.equal(await frame(running), 'DENY')
  assert.deepEqual(await running.gateway.reload(), { ...outcome, changed: false })
  assert.equal(running.events.at(-1)?.event, 'reloaded')
})

const BAD: readonly (readonly [why: string, policy: object, problem: RegExp])[] = [
  [
    'an unknown setting',
    { ...IN_FRONT, colour: 'red' },
    /^sallyport\.config\.json: colour: there is no setting/,
  ],
  [
    'a contradiction',
    { ...IN_FRONT, request: { methods: ['TRACE'] } },
    /^sallyport\.config\.json: request\.methods\[0\]: /,
  ],
  [
    'another end of TLS',
    { ...IN_FRONT, transport: { tls: 'here' } },
    /transport\.tls: can't change while the gateway runs, received "here" where "in-front" runs; restart/,
  ],
]

for (const [why, policy, problem] of BAD)
  test(`a policy with ${why} is refused in the words of check, and the one before goes on`, async (context) => {
    const running = await reloadable(context)
    await running.write(policy)
    const reply = await askAdmin(running.admin, '/reload', { method: 'POST', headers: CHANGE })
    assert.equal(reply.status, 422)
    const { code, problems } = JSON.parse(reply.body)
    assert.equal(code, 'reload_refused')
    assert.match(problems[0], problem)
    assert.equal(await frame(running), 'SAMEORIGIN')
    const ready = await askAdmin(running.admin, '/readyz')
    assert.equal(ready.status, 200)
    assert.deepEqual(JSON.parse(ready.body).reloadProblems, problems)
    assert.match(
      (await askAdmin(running.admin, '/metrics')).body,
      /^sallyport_reloads_total\{result="failure"\} 1$/m,
    )
    assert.match(running.events.at(-1)!.reason, problem)
    await running.write(framed('DENY'))
    await running.gateway.reload()
    assert.equal(JSON.parse((await askAdmin(running.admin, '/readyz')).body).reloadProblems, undefined)
  })

test('a file that is no policy at all is refused, and so is one that is gone', async (context) => {
  const running = await reloadable(context)
  await running.write([])
  assert.equal((await running.gateway.reload())?.ok, false)
  await rm(join(running.folder, 'sallyport.config.json'))
  const outcome = await running.gateway.reload()
  assert.ok(outcome && !outcome.ok)
  assert.match(outcome.problems[0]!, /there is no such file/)
  assert.equal(await frame(running), 'SAMEORIGIN')
})

test('a request under way keeps its policy, and its connection stays open for the next', async (context) => {
  const waiting = Promise.withResolvers<ServerResponse>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/held') waiting.resolve(response)
    else response.end()
  })
  const running = await reloadable(context, { upstream })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  context.after(() => agent.destroy())
  const get = async (path: string) => {
    const request = httpRequest({ host: '127.0.0.1', port: running.port, path, agent }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return { frame: response.headers['x-frame-options'], reused: request.reusedSocket }
  }
  const first = get('/held')
  const held = await waiting.promise
  await running.write(framed('DENY'))
  assert.equal((await running.gateway.reload())?.ok, true)
  held.end()
  assert.deepEqual(await first, { frame: 'SAMEORIGIN', reused: false })
  assert.deepEqual(await get('/'), { frame: 'DENY', reused: true })
})

test('reloads that are asked for at once are few, and the last one sees the last change', async (context) => {
  const running = await reloadable(context)
  const first = running.gateway.reload()
  await running.write(framed('DENY'))
  await Promise.all([first, ...Array.from({ length: 20 }, () => running.gateway.reload())])
  assert.equal(await frame(running), 'DENY')
  assert.equal(running.events.filter(({ event }) => event === 'reloaded').length, 21)
  assert.match(
    (await askAdmin(running.admin, '/metrics')).body,
    /^sallyport_reloads_total\{result="success"\} 2$/m,
  )
})

// A file that is written in place may be read half-written before; that is refused, and the next look reads it whole.
async function after(running: Running, event: GatewayEvent['event'], change: () => Promise<unknown>) {
  const { events } = running
  const seen = Promise.withResolvers<void>()
  const push = events.push
  events.push = (...added) => {
    if (added.some((one) => one.event === event)) seen.resolve()
    return push.apply(events, added)
  }
  await change()
  await seen.promise
  events.push = push
}

test('the file is watched: written in place, renamed over, and gone for a while', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'sallyport.config.json')
  await writeFile(file, JSON.stringify(framed('SAMEORIGIN')))
  const running = await reloadable(context, { watched: file })
  await after(running, 'reloaded', () => running.write(framed('DENY')))
  assert.equal(await frame(running), 'DENY')
  await writeFile(`${file}.new`, JSON.stringify(framed('SAMEORIGIN')))
  await after(running, 'reloaded', () => rename(`${file}.new`, file))
  assert.equal(await frame(running), 'SAMEORIGIN')
  await after(running, 'reload-refused', () => rm(file))
  assert.equal(await frame(running), 'SAMEORIGIN')
  await after(running, 'reloaded', () => running.write(framed('DENY')))
  assert.equal(await frame(running), 'DENY')
})

test('a folder that is swapped by a symbolic link is seen, as Kubernetes swaps a ConfigMap', async (context) => {
  const folder = await temporaryFolder(context)
  const put = async (name: string, policy: PolicyDocument) => {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'sallyport.config.json'), JSON.stringify(policy))
  }
  await put('..first', framed('SAMEORIGIN'))
  await symlink('..first', join(folder, '..data'))
  await symlink('..data/sallyport.config.json', join(folder, 'sallyport.config.json'))
  const running = await reloadable(context, { watched: join(folder, 'sallyport.config.json') })
  for (const [name, value] of [
    ['..second', 'DENY'],
    ['..third', 'SAMEORIGIN'],
  ] as const) {
    await put(name, framed(value))
    await after(running, 'reloaded', async () => {
      await symlink(name, join(folder, '..data_tmp'))
      await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    })
    assert.equal(await frame(running), value)
  }
})
