// The setting's errors, the page, the probes against real servers, and the order of strength.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createPlainServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { readAnswers } from '../../../test/robustness/answers.ts'
import { createServer } from '../../adapters/node/index.ts'
import type { Observation, Probe } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'
import { compareRequest } from './compare.ts'
import { describeRequest } from './faces.ts'
import { request } from './index.ts'
import { probeRequest } from './probe.ts'
import type { RequestSetting } from './setting.ts'

const WRONG: readonly (readonly [setting: unknown, message: string])[] = [
  [
    { maxTargetBytes: 20_000 },
    'request.maxTargetBytes: a target this long never fits in a head of 16384 bytes, received 20000; make maxTargetBytes smaller than maxHeaderBytes',
  ],
  [
    { maxHeaderBytes: 8192, maxTargetBytes: 8193 },
    'request.maxTargetBytes: a target this long never fits in a head of 8192 bytes, received 8193; make maxTargetBytes smaller than maxHeaderBytes',
  ],
  [
    { maxHeaderCount: 1000, maxHeaderBytes: 512, maxTargetBytes: 64 },
    'request.maxHeaderCount: this many lines never fit in a head of 512 bytes, received 1000; make maxHeaderCount smaller, or maxHeaderBytes larger',
  ],
  [
    { methods: ['PROPFIND', 'TRACE'] },
    'request.methods[1]: this method is never accepted: TRACE and TRACK echo credentials, CONNECT opens a tunnel, received "TRACE"; remove it',
  ],
  [
    { methods: ['CONNECT'] },
    'request.methods[0]: this method is never accepted: TRACE and TRACK echo credentials, CONNECT opens a tunnel, received "CONNECT"; remove it',
  ],
  [
    { methods: ['propfind'] },
    'request.methods[0]: expected a method in capitals, received "propfind"; write it as it is sent, such as "PROPFIND"',
  ],
  [
    { nonCanonical: 'refused' },
    'request.nonCanonical: expected one of "refuse", "strict", received "refused"; did you mean "refuse"?',
  ],
  [
    { maxBodyBytes: -1 },
    'request.maxBodyBytes: expected a whole number from 0 to 9007199254740991, received -1; write a number such as 1048576',
  ],
  [
    { maxBodyBytes: '1mb' },
    'request.maxBodyBytes: expected a whole number from 0 to 9007199254740991, received "1mb"; write a number such as 1048576',
  ],
  [
    { maxBodyByte: 1 },
    'request.maxBodyByte: there is no setting "maxBodyByte" here; did you mean "maxBodyBytes"?',
  ],
]

function cellsOf(policy: PolicyDocument) {
  return resolvedFor<RequestSetting>(resolvePolicy(policy), request)
}

async function observe(server: Server, probe: Probe): Promise<Observation> {
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  socket.on('error', () => {})
  assert.ok('raw' in probe.request)
  socket.write(probe.request.raw.replaceAll('{host}', `127.0.0.1:${port}`), 'latin1')
  await once(socket, 'close')
  const answer = readAnswers(Buffer.concat(received).toString('latin1')).answers[0]
  return {
    status: answer?.status ?? 0,
    headers: answer?.headers ?? [],
    body: answer?.body ?? '',
    encrypted: false,
  }
}

async function findingsOf(
  server: Server,
  probes: readonly Probe[],
): Promise<Record<string, readonly string[]>> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const found: Record<string, readonly string[]> = {}
    for (const probe of probes)
      found[probe.id] = probe.expect(await observe(server, probe)).map(({ id }) => id)
    return found
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const POLICY: PolicyDocument = {
  extends: 'recommended',
  request: { nonCanonical: 'refuse', maxTargetBytes: 300, maxBodyBytes: 10 },
  routes: { 'PUT /upload/*': { request: { maxBodyBytes: 100 } } },
}

describe('faces of request', () => {
  for (const [setting, message] of WRONG)
    test(`a wrong setting is refused: ${message.slice(0, 60)}`, () => {
      assert.throws(
        () => resolvePolicy({ request: setting } as PolicyDocument),
        (error) => error instanceof PolicyError && error.message === message,
      )
    })

  test('every probe passes against a guarded server', async () => {
    const probes = probeRequest(cellsOf(POLICY))
    const found = await findingsOf(
      createServer(POLICY, (incoming, response) => incoming.resume().on('end', () => response.end('{}'))),
      probes,
    )
    assert.equal(probes.length, Object.keys(found).length)
    assert.ok(probes.length >= 13)
    for (const [id, findings] of Object.entries(found)) assert.deepEqual(findings, [], id)
  })

  const BY_PARSER = [
    'length-and-chunked',
    'two-lengths',
    'signed-length',
    'space-before-colon',
    'nul',
    'websocket',
  ].map((id) => `request/${id}`)
  test('the probes find what plain node:http lets through', async () => {
    const found = await findingsOf(
      createPlainServer({ requireHostHeader: false }, (incoming, response) =>
        incoming.resume().on('end', () => response.end('{}')),
      ),
      // A length without its body leaves a plain server waiting for it.
      probeRequest(cellsOf(POLICY)).filter(({ id }) => !id.includes('body-size')),
    )
    // What node:http refuses by itself is refused there too, and without a listener it opens no WebSocket.
    for (const [id, findings] of Object.entries(found))
      if (BY_PARSER.includes(id)) assert.deepEqual(findings, [], id)
      else assert.deepEqual(findings, [id === 'request/trace' ? 'method.trace' : 'drift.request'], id)
  })

  test('a WebSocket that opens is found, and is none where it is declared', () => {
    const probes = (webSocket: boolean) =>
      probeRequest(cellsOf({ request: { webSocket } })).filter(({ id }) => id === 'request/websocket')
    const [probe] = probes(false)
    const seen = { headers: [], body: '', encrypted: false }
    assert.deepEqual(
      [101, 200, 426].map((status) => probe!.expect({ ...seen, status }).map(({ id }) => id)),
      [['drift.request'], [], []],
    )
    assert.deepEqual(probes(true), [])
  })

  test('nothing is probed where nothing is enforced', () => {
    for (const mode of ['off', 'report'] as const)
      assert.deepEqual(probeRequest(cellsOf({ request: { mode, maxBodyBytes: 1 } })), [])
    assert.deepEqual(
      probeRequest(cellsOf({})).filter(({ id }) => id.includes('path-') || id.includes('body-size')),
      [],
    )
  })

  test('the page names sizes by cell, the fate of odd paths by place, and what a place cannot see', () => {
    const cells = cellsOf({
      request: { maxBodyBytes: 10 },
      routes: { '/upload': { request: { maxBodyBytes: 99 } } },
    })
    const gateway = describeRequest(cells, 'gateway')
    const valuesNamed = (name: string, section = gateway) =>
      section.entries.filter((entry) => entry.name === name).map(({ value }) => value)
    assert.deepEqual(valuesNamed('Paths that are not canonical'), ['400'])
    assert.match(
      valuesNamed('Paths that are not canonical', describeRequest(cells, 'node'))[0]!,
      /^passes as private/,
    )
    assert.deepEqual(valuesNamed('Sizes'), [
      'target 8192 bytes, 100 header lines, head 16384 bytes, body 99 bytes',
      'target 8192 bytes, 100 header lines, head 16384 bytes, body 10 bytes',
    ])
    assert.equal(gateway.limits.length, 1)
    assert.equal(describeRequest(cells, 'fetch').limits.length, 1)
  })

  const ORDER: readonly (readonly [
    before: RequestSetting,
    after: RequestSetting,
    what: string,
    strength: string,
  ])[] = [
    [{ maxTargetBytes: 10 }, { maxTargetBytes: 9 }, 'maxTargetBytes', 'stronger'],
    [{ maxHeaderCount: 10 }, { maxHeaderCount: 11 }, 'maxHeaderCount', 'weaker'],
    [{ maxHeaderBytes: 10 }, { maxHeaderBytes: 9 }, 'maxHeaderBytes', 'stronger'],
    [{}, { maxBodyBytes: 10 }, 'maxBodyBytes', 'stronger'],
    [{ maxBodyBytes: 10 }, {}, 'maxBodyBytes', 'weaker'],
    [{ nonCanonical: 'strict' }, { nonCanonical: 'refuse' }, 'nonCanonical', 'stronger'],
    [{ nonCanonical: 'refuse' }, { nonCanonical: 'strict' }, 'nonCanonical', 'weaker'],
    [{}, { nonCanonical: 'refuse' }, 'nonCanonical', 'stronger'],
    [{}, { nonCanonical: 'strict' }, 'nonCanonical', 'weaker'],
    [{}, { methods: ['PROPFIND'] }, 'methods', 'weaker'],
    [{ methods: ['PROPFIND'] }, {}, 'methods', 'stronger'],
    [{}, { webSocket: true }, 'webSocket', 'weaker'],
    [{ webSocket: true }, { webSocket: false }, 'webSocket', 'stronger'],
  ]
  for (const [before, after, what, strength] of ORDER)
    test(`${JSON.stringify(before)} → ${JSON.stringify(after)} is ${strength}`, () => {
      const changes = compareRequest(before, after)
      assert.deepEqual(
        changes.map((change) => [change.what, change.strength]),
        [[what, strength]],
      )
    })

  test('equal settings have no difference, and one method for another is both weaker and stronger', () => {
    assert.deepEqual(
      compareRequest({ methods: ['A', 'B'], maxBodyBytes: 1 }, { methods: ['B', 'A'], maxBodyBytes: 1 }),
      [],
    )
    assert.deepEqual(
      compareRequest({ methods: ['A'] }, { methods: ['B'] }).map(({ strength }) => strength),
      ['weaker', 'stronger'],
    )
  })
})
