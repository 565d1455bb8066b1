import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { makeLeaf } from './certificate.ts'
import { type LocalCertificate, localCertificate } from './local.ts'

const run = promisify(execFile)
const DAY = 86_400_000

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('openssl verifies the leaf for each of its names and addresses, and for no other', async (context) => {
  const folder = await folderFor(context)
  await localCertificate({ folder })
  const verify = (...more: string[]) =>
    run('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', join(folder, 'ca.pem'), ...more],
      join(folder, 'cert.pem'),
    ])
  for (const right of [
    ['-verify_hostname', 'sallyport.localhost'],
    ['-verify_ip', '127.0.0.1'],
    ['-verify_ip', '::1'],
  ])
    assert.match((await verify(...right)).stdout, /cert\.pem: OK/)
  for (const wrong of [
    ['-verify_hostname', 'localhost'],
    ['-verify_hostname', 'evil.example'],
    ['-verify_ip', '127.0.0.2'],
  ])
    await assert.rejects(verify(...wrong), /mismatch/)
})

test('openssl reads what the certificates say', async (context) => {
  const folder = await folderFor(context)
  await localCertificate({ folder })
  const text = async (file: string) =>
    (await run('openssl', ['x509', '-in', join(folder, file), '-noout', '-text'])).stdout
  const leaf = await text('cert.pem')
  assert.match(leaf, /Version: 3 \(0x2\)/)
  assert.match(leaf, /Signature Algorithm: ecdsa-with-SHA256/)
  assert.match(leaf, /ASN1 OID: prime256v1/)
  assert.match(leaf, /Basic Constraints: critical\n\s+CA:FALSE/)
  assert.match(leaf, /Key Usage: critical\n\s+Digital Signature\n/)
  assert.match(leaf, /Extended Key Usage: \n\s+TLS Web Server Authentication\n/)
  assert.match(leaf, /DNS:sallyport\.localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\n/)
  assert.doesNotMatch(leaf, /DNS:localhost/)
  const authority = await text('ca.pem')
  assert.match(authority, /Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/)
  assert.match(authority, /Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/)
  assert.match(
    authority,
    /Name Constraints: critical\n\s+Permitted:\n\s+DNS:localhost\n\s+IP:127\.0\.0\.0\/255\.0\.0\.0/,
  )
  const identifier = (kind: string, of: string) =>
    new RegExp(`X509v3 ${kind} Key Identifier: ?\\n\\s+(?:keyid:)?([0-9A-F:]+)`).exec(of)![1]
  assert.equal(identifier('Authority', leaf), identifier('Subject', authority))
})

test('the authority can not speak for names outside of .localhost, even with its key', async (context) => {
  const folder = await folderFor(context)
  const { ca } = await localCertificate({ folder })
  const authority = { certificate: ca, key: await readFile(join(folder, 'ca-key.pem'), 'utf8') }
  const name = /CN=(.*)/.exec(new X509Certificate(ca).subject)![1]!
  const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY }
  const forged = (subject: Parameters<typeof makeLeaf>[2]) =>
    makeLeaf(authority, name, subject, validity, (bytes) => crypto.getRandomValues(new Uint8Array(bytes)))
  for (const subject of [
    { names: ['bank.example'], addresses: [] },
    { names: ['a.localhost'], addresses: [Uint8Array.of(10, 0, 0, 1)] },
  ]) {
    await writeFile(join(folder, 'forged.pem'), forged(subject).certificate)
    await assert.rejects(
      run('openssl', ['verify', '-CAfile', join(folder, 'ca.pem'), join(folder, 'forged.pem')]),
      /permitted subtree violation/,
    )
  }
})

test("Node's TLS accepts the certificate by name and by address", async (context) => {
  const local = await localCertificate({ folder: await folderFor(context) })
  const server = createServer({ cert: local.cert, key: local.key }).listen(0, '127.0.0.1')
  context.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const authorized = (settings: object) =>
    new Promise<boolean>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: local.ca, ...settings }, () => {
        resolve(socket.authorized)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  assert.equal(await authorized({ servername: 'sallyport.localhost' }), true)
  assert.equal(await authorized({}), true)
  await assert.rejects(authorized({ servername: 'localhost' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('a second start finds what the first made; keys are for their owner alone', async (context) => {
  const folder = join(await folderFor(context), 'state', 'tls')
  const first = await localCertificate({ folder })
  assert.deepEqual(await localCertificate({ folder }), first)
  assert.deepEqual((await readdir(folder)).sort(), ['ca-key.pem', 'ca.pem', 'cert.pem', 'key.pem'])
  for (const file of ['ca-key.pem', 'key.pem'])
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600)
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
})

test('the leaf lives 90 days and is renewed at two thirds of them, by the same authority', async (context) => {
  const folder = await folderFor(context)
  let now = Date.UTC(2026, 0, 1)
  const made = (): Promise<LocalCertificate> => localCertificate({ folder, clock: () => now })
  const first = await made()
  const leaf = new X509Certificate(first.cert)
  assert.equal(Date.parse(leaf.validFrom), now - 3_600_000)
  assert.equal(Date.parse(leaf.validTo), now + 90 * DAY)
  assert.equal(first.expiresAt, now + 90 * DAY)
  now += 59 * DAY
  assert.equal((await made()).cert, first.cert)
  now += 2 * DAY
  const renewed = await made()
  assert.notEqual(renewed.cert, first.cert)
  assert.notEqual(renewed.key, first.key)
  assert.equal(renewed.ca, first.ca)
  // A clock that was wrong when the certificate was made is no reason to serve one that is not valid yet.
  now -= 200 * DAY
  assert.equal(Date.parse(new X509Certificate((await made()).cert).validTo), now + 90 * DAY)
  now += 3_700 * DAY
  assert.notEqual((await made()).ca, first.ca)
})

test('files that are damaged, swapped or of other names are made again', async (context) => {
  const folder = await folderFor(context)
  const first = await localCertificate({ folder })
  const at = (file: string) => join(folder, file)
  for (const [file, text] of [
    ['cert.pem', 'not a certificate'],
    ['key.pem', ''],
    ['key.pem', await readFile(at('ca-key.pem'), 'utf8')],
    ['ca.pem', first.cert.slice(0, 100)],
    ['ca-key.pem', 'x'],
  ] as const) {
    await writeFile(at(file), text)
    const again = await localCertificate({ folder })
    const leaf = new X509Certificate(again.cert)
    assert.ok(leaf.verify(new X509Certificate(again.ca).publicKey), file)
    assert.equal(await readFile(at('ca.pem'), 'utf8'), again.ca)
  }
  const other = await localCertificate({ folder, names: ['api.localhost', 'shop.localhost'] })
  assert.equal(new X509Certificate(other.cert).checkHost('shop.localhost'), 'shop.localhost')
})

test('names that are not under .localhost are refused, bare "localhost" above all', async (context) => {
  const folder = await folderFor(context)
  for (const name of [
    'localhost',
    'example.com',
    'a.localhost.example',
    '*.localhost',
    'A.localhost',
    'a..localhost',
    '',
  ])
    await assert.rejects(
      localCertificate({ folder, names: [name] }),
      /a local certificate is for names under \.localhost/,
    )
})

test('serial numbers are random and positive', async (context) => {
  const serials = new Set<string>()
  for (let round = 0; round < 3; round++) {
    const { cert, ca } = await localCertificate({ folder: await folderFor(context) })
    for (const pem of [cert, ca]) {
      const { serialNumber } = new X509Certificate(pem)
      assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/)
      serials.add(serialNumber)
    }
  }
  assert.equal(serials.size, 6)
})
