// `serve` with certificates of a configuration: found from the file, replaced by a signal, and what is wrong is said.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { certificate } from '../../../server/test/certificates.ts'
import { directory, run, start } from './command.ts'

const POLICY = JSON.stringify({ extends: 'api', transport: { tls: 'here' } })
const CONFIGURATION = {
  listeners: [{ host: '127.0.0.1', port: 0 }],
  upstreams: { api: { urls: ['http://127.0.0.1:9'] } },
  admin: false,
  tls: {
    certificates: [
      { cert: 'tls/api.pem', key: 'tls/api-key.pem' },
      { cert: 'tls/pay.pem', key: 'tls/pay-key.pem' },
    ],
    ticketKeys: { file: 'tickets' },
  },
}

for (const workers of ['1', '2'])
  test(`serve takes the certificates of the configuration, and SIGHUP brings new ones, ${workers} processes`, async (context) => {
    const cwd = directory(context, {
      'sallyport.config.json': POLICY,
      'sallyport.gateway.json': JSON.stringify(CONFIGURATION),
    })
    const folder = join(cwd, 'tls')
    mkdirSync(folder)
    for (const as of ['api', 'pay']) certificate(folder, { as, san: `DNS:${as}.example.com` })
    const running = start(context, cwd, ['serve', '--json', '--workers', workers])
    await running.says('"digest"')
    const port = Number(new URL(JSON.parse(running.out()).url).port)
    const seen = async (servername: string) => {
      const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const { fingerprint256, subject } = socket.getPeerX509Certificate()!
      socket.destroy()
      return { fingerprint256, name: subject.split('CN=')[1] }
    }
    const before = await seen('pay.example.com')
    assert.equal(before.name, 'pay')
    assert.equal((await seen('api.example.com')).name, 'api')
    const fresh = join(cwd, 'new')
    mkdirSync(fresh)
    const made = certificate(fresh, { as: 'pay', san: 'DNS:pay.example.com' })
    copyFileSync(made.key, join(folder, 'pay-key.pem'))
    copyFileSync(made.cert, join(folder, 'pay.pem'))
    running.process.kill('SIGHUP')
    await running.says('the certificate for pay.example.com is new, and valid until')
    assert.notEqual((await seen('pay.example.com')).fingerprint256, before.fingerprint256)
    running.process.kill('SIGTERM')
    assert.equal((await running.finished).code, 0)
  })

test('serve says every mistake of its certificates, and what a policy has no use for', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': POLICY,
    'sallyport.gateway.json': JSON.stringify(CONFIGURATION),
    'in-front.json': JSON.stringify({ extends: 'api', transport: { tls: 'in-front' } }),
  })
  for (const workers of ['1', '2']) {
    const { code, err } = await run(context, cwd, ['serve', '--workers', workers])
    assert.equal(code, 2)
    assert.match(
      err,
      /^sallyport: tls\.certificates\[0\]\.cert: \S+api\.pem can’t be read \(ENOENT\); name a PEM file\nsallyport: tls\.certificates\[1\]\.cert: [^\n]+\n$/,
    )
  }
  const { code, err } = await run(context, cwd, ['serve', '--policy', 'in-front.json'])
  assert.equal(code, 2)
  assert.match(
    err,
    /^sallyport: in-front\.json says that TLS ends in front of this listener, and "tls" is given; /,
  )
})
