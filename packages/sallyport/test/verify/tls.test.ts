// What is seen of TLS: versions, certificates, and the port where nothing is encrypted.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { localCertificate } from '../../../server/src/tls/local.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import type { WireTarget } from '../../src/posture/wire/target.ts'
import { bare, found, type Handler, NOSNIFF, only, withTls } from './server.ts'

const HERE: PolicyDocument = { ...NOSNIFF, transport: { tls: 'here' } }

const fine: Handler = (_request, response) => {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Cache-Control', 'no-store, private')
  response.end('{}')
}

const DAY_MS = 86_400_000
const HOST = 'sallyport.localhost'

/** A server with a certificate for HOST, of 90 days that began so many days ago. */
async function serve(context: TestContext, options: object, began = 0, host = HOST, onAnswer?: () => void) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const { key, cert, ca } = await localCertificate({ folder, clock: () => Date.now() - began * DAY_MS })
  const port = await withTls(context, { key, cert, ...options }, (...given) => {
    onAnswer?.()
    fine(...given)
  })
  const target: WireTarget = { scheme: 'https', host, address: '127.0.0.1', port, ca }
  return { target, port }
}

const ofTransport = (finding: string) => / (?:tls-versions|plain-http) /.test(finding)

describe('verify sees of TLS', () => {
  it('that the declared versions are spoken, and no others', async (context) => {
    const { target } = await serve(context, { minVersion: 'TLSv1.3' })
    assert.deepEqual(found(await verify(HERE, target)).filter(ofTransport), [])
    const both = await serve(context, { minVersion: 'TLSv1.2' })
    assert.deepEqual(found(await verify(HERE, both.target)).filter(ofTransport), ['drift.tls tls-versions *'])
    const allowed: PolicyDocument = { ...HERE, transport: { tls: 'here', minVersion: 'TLSv1.2' } }
    assert.deepEqual(found(await verify(allowed, both.target)).filter(ofTransport), [])
    assert.equal(
      only(await verify(allowed, target), 'drift.tls').detail,
      'TLS 1.2 is declared and not spoken',
    )
  })

  it('H1 versions that are broken, whoever ends TLS', async (context) => {
    const { target } = await serve(context, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.2',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    const front = await verify(NOSNIFF, target)
    assert.match(only(front, 'tls.legacy').detail, /^TLSv1(?:\.1)? is spoken$/)
    const { findings } = await verify(HERE, target)
    const drift = findings.filter(({ id }) => id === 'drift.tls').map(({ detail }) => detail)
    assert.deepEqual(drift, ['TLS 1.2 is spoken', 'TLS 1.3 is not spoken'])
  })

  it('a certificate that has ended, ends soon, or names another host', async (context) => {
    const ended = await serve(context, {}, 100)
    assert.match(
      only(await verify(HERE, ended.target), 'tls.cert-expired').detail,
      /^the certificate ended at 20/,
    )
    const other = await serve(context, {}, 0, 'other.example')
    const mismatch = await verify(HERE, other.target, {
      credentials: [{ role: 'user', header: 'Authorization', value: 'Bearer abcdefgh' }],
    })
    assert.match(only(mismatch, 'tls.cert-host').detail, /sallyport\.localhost/)
    assert.ok(mismatch.notes.includes('the certificate is not trusted, so no credential was sent'))
    const soon = await serve(context, {}, 80)
    assert.match(only(await verify(HERE, soon.target), 'tls.cert-expiring').detail, /ends in \d days/)
  })

  it('H1 that nobody trusts the certificate, and nothing more unless it is told to look all the same', async (context) => {
    let asked = 0
    const { target } = await serve(context, {}, 0, HOST, () => asked++)
    const { ca: _ca, ...untrusted } = target
    const credentials = [{ role: 'user', header: 'Authorization', value: 'Bearer abcdefgh' }]
    const alone = await verify(HERE, untrusted, { credentials })
    const finding = only(alone, 'tls.untrusted')
    assert.match(finding.detail, /nobody that is trusted here vouches .* \([A-Z_]+\); it was issued by \S/)
    assert.match(finding.mend, /named with --ca FILE, and --insecure looks all the same/)
    assert.deepEqual(
      [finding.severity, finding.control, alone.passed, alone.of],
      ['critical', 'SP-TLS-01', 0, 1],
    )
    assert.deepEqual(
      alone.notRun.map(({ probe }) => probe),
      ['everything else'],
    )
    assert.equal(asked, 0)
    const looked = await verify(HERE, { ...untrusted, insecure: true }, { credentials })
    assert.match(looked.notes.join(), /the certificate is not trusted \(.*so no credential was sent/)
    assert.ok(only(looked, 'tls.untrusted') && looked.of > 10)
    const trusted = await verify(HERE, target)
    assert.ok(!found(trusted).some((each) => each.startsWith('tls.')))
  })

  it('of one replica that its certificate is not trusted, and all of the others', async (context) => {
    const [one, other] = [await serve(context, {}), await serve(context, {})]
    const { findings, of, replicas } = await verify(HERE, one.target, {
      replicas: [one.target, { ...one.target, port: other.target.port }],
    })
    assert.deepEqual(
      findings.filter(({ id }) => id === 'tls.untrusted').map((each) => each.replicas),
      [[`127.0.0.1:${other.port}`]],
    )
    assert.ok(of > 10 && replicas.length === 2)
  })

  it('H1 a port without TLS that serves, redirects or refuses', async (context) => {
    const { target } = await serve(context, { minVersion: 'TLSv1.3' })
    const at = async (handler: Handler, policy = HERE) => {
      const plainPort = Number(new URL(await bare(context, handler)).port)
      return found(await verify(policy, target, { plainPort })).filter((each) => each.includes('plain-http'))
    }
    const redirect: Handler = (_request, response) =>
      response.writeHead(301, { Location: 'https://api.example/' }).end()
    assert.deepEqual(await at(fine), ['http.cleartext plain-http *'])
    assert.deepEqual(await at(redirect), ['http.api-redirect plain-http *'])
    assert.deepEqual(await at(redirect, { ...HERE, transport: { tls: 'here', plainHttp: 'redirect' } }), [])
    assert.deepEqual(await at((_request, response) => response.writeHead(403).end()), [])
    assert.deepEqual(
      found(await verify(HERE, target, { plainPort: 1 })).filter((each) => each.includes('plain-http')),
      [],
    )
  })
})
