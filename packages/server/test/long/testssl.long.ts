// What testssl.sh finds on the gateway's own TLS: nothing but what a local certificate can't have.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { gatewayFor, HERE, type Running, temporaryFolder, upstreamFor } from '../harness.ts'

const run = promisify(execFile)
const program = ['testssl', 'testssl.sh'].find(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
)
const skip = program ? false : 'testssl.sh is missing: apt-get install testssl.sh'

// A certificate that no public authority has signed: nobody is asked whether it is revoked, and a name under .localhost
// has no DNS. The last is about the scanner's own OpenSSL.
const OF_THE_CERTIFICATE: ReadonlySet<string> = new Set([
  'cert_chain_of_trust',
  'cert_revocation',
  'OCSP_stapling',
  'DNS_CAArecord',
  'engine_problem',
])

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

async function scan(context: TestContext, running: Running): Promise<void> {
  const file = join(await temporaryFolder(context), 'findings.json')
  const url = `https://sallyport.localhost:${running.port}/`
  await run(
    program!,
    ['--quiet', '--color', '0', '--warnings', 'off', '--ip', '127.0.0.1', '--jsonfile', file, url],
    { maxBuffer: 2 ** 26 },
  )
  const all = JSON.parse(await readFile(file, 'utf8')) as readonly Finding[]
  // Fewer would mean that it could not look.
  assert.ok(all.length > 80, `${all.length} checks`)
  const bad = all.filter(({ severity }) => severity !== 'OK' && severity !== 'INFO')
  const ours = bad.filter(({ id }) => !OF_THE_CERTIFICATE.has(id))
  assert.deepEqual(
    ours.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`),
    [],
  )
  context.diagnostic(
    `${all.length} checks: no finding but ${bad.map(({ id, severity }) => `${id} (${severity})`).join(', ')}`,
  )
}

async function rsaPair(context: TestContext): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = await temporaryFolder(context)
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-sha256', '-nodes', '-days', '90'],
    ...['-subj', '/CN=sallyport.localhost', '-addext', 'subjectAltName=DNS:sallyport.localhost'],
    ...['-addext', 'extendedKeyUsage=serverAuth', '-keyout', key, '-out', cert],
  ])
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}

const CASES = [
  ['TLS 1.3 alone', 'TLSv1.3', false],
  ['TLS 1.2 allowed', 'TLSv1.2', false],
  ['TLS 1.2 allowed, RSA certificate', 'TLSv1.2', true],
] as const

test('testssl.sh', { skip, concurrency: true, timeout: 900_000 }, async (context) => {
  await Promise.all(
    CASES.map(([what, minVersion, isRsa]) =>
      context.test(`testssl.sh, ${what}`, async (each) => {
        const upstream = await upstreamFor(each, (_request, response) => response.end('{}'))
        const policy = { ...HERE, transport: { tls: 'here', minVersion } } as const
        const tls = isRsa ? { tls: await rsaPair(each) } : {}
        await scan(each, await gatewayFor(each, { upstream, policy, ...tls }))
      }),
    ),
  )
})
